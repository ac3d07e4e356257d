import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import { makeSample } from '../../scripts/demo/sample.ts';
import type { EmulatedForge } from '../support/forge/emulatedForge.ts';
import { startGiteaServer } from '../support/gitea/giteaServer.ts';
import { startGitlabServer } from '../support/gitlab/gitlabServer.ts';
import { bash, beginChange, idle } from '../support/landing.ts';
import { plainGit } from '../support/plainGit.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const run = promisify(execFile);

const FORGES = [
  {
    name: 'gitea',
    variable: 'SANDPIPER_GITEA',
    start: startGiteaServer,
    owner: 'acme',
    draft: 'WIP: Add a file',
    page: /\/acme\/[^/]+\/pulls\/1$/,
  },
  {
    name: 'gitlab',
    variable: 'SANDPIPER_GITLAB',
    start: startGitlabServer,
    owner: 'group/sub',
    draft: 'Draft: Add a file',
    page: /\/group\/sub\/[^/]+\/-\/merge_requests\/1$/,
  },
] as const;

for (const { name, variable, start, owner, draft, page } of FORGES) {
  describe(`a session on ${name}`, function () {
    this.timeout(60_000);
    let forge: EmulatedForge;
    let shop: Workshop;
    let bareFolder = '';
    let cloneUrl = '';
    let repositories = 0;

    before(async () => {
      forge = await start();
      // Whatever is looked at by itself is looked at in this test.
      shop = await openWorkshop({
        [`${variable}_HOSTS`]: `${forge.host}=${forge.apiUrl}`,
        [`${variable}_TOKEN`]: `${forge.host}=${forge.token}`,
        SANDPIPER_GITHUB_TOKEN: 'ghp_of-another-forge-0123456789',
        SANDPIPER_PULL_REQUEST_SECONDS: '0.2',
      });
    });
    after(async () => {
      await shop?.dispose();
      await forge?.close();
    });

    async function makeClone(): Promise<string> {
      const source = join(shop.folder, `${name}-${++repositories}`);
      await makeSample(source);
      ({ bareFolder, cloneUrl } = await forge.createRepository(owner, `app-${repositories}`, { from: source }));
      await plainGit(source, ['remote', 'add', 'origin', cloneUrl]);
      return source;
    }
    const pulls = () => forge.pullRequests().filter(({ repository }) => repository === `app-${repositories}`);
    const cli = (...args: string[]) =>
      run(process.execPath, [join(import.meta.dirname, '../../server/src/main.ts'), ...args], {
        env: {
          PATH: process.env['PATH'],
          HOME: shop.folder,
          SANDPIPER_DATA: shop.dataFolder,
          SANDPIPER_GITHUB_TOKEN: 'ghp_of-another-forge-0123456789',
          [`${variable}_HOSTS`]: `${forge.host}=${forge.apiUrl}`,
        },
      });

    it('lands as a draft by a real push, and a second turn updates it', async () => {
      const id = await beginChange(shop, await makeClone());
      const first = await shop.client.call('pullRequest.open', { sessionId: id });
      const { number, forge: kind, url, branch, draft: isDraft } = first.pullRequest;
      assert.deepEqual([first.created, number, kind, isDraft], [true, 1, name, true]);
      assert.match(url, page);
      assert.equal(await plainGit(bareFolder, ['show', `${branch}:added.txt`]), 'new');
      assert.deepEqual([pulls().length, pulls()[0]?.title, pulls()[0]?.baseBranch], [1, draft, 'main']);
      assert.match(pulls()[0]?.body ?? '', /`added\.txt` \(added, \+1 −0\)/);

      await shop.send(id, bash('echo more >> added.txt'));
      await shop.until(id, 'two turns', idle(2));
      const second = await shop.client.call('pullRequest.open', { sessionId: id, title: 'Add two lines' });
      assert.deepEqual([second.created, second.pullRequest.number], [false, 1]);
      assert.notEqual(second.pullRequest.headCommit, first.pullRequest.headCommit);
      assert.equal(await plainGit(bareFolder, ['show', `${branch}:added.txt`]), 'new\nmore');
      assert.equal(pulls()[0]?.title, draft.replace('Add a file', 'Add two lines'));
      assert.deepEqual(forge.violations(), []);
    });

    it('takes what its base branch has since', async () => {
      const source = await makeClone();
      const id = await beginChange(shop, source);
      const { pullRequest } = await shop.client.call('pullRequest.open', { sessionId: id });
      await plainGit(source, ['commit', '-q', '--allow-empty', '-m', 'Of the base']);
      await plainGit(source, ['push', '-q', bareFolder, 'HEAD:main']);
      const { updated, base } = await shop.client.call('pullRequest.updateFromBase', { sessionId: id });
      assert.deepEqual([updated, base], [true, await plainGit(source, ['rev-parse', 'HEAD'])]);
      await plainGit(bareFolder, ['merge-base', '--is-ancestor', base, pullRequest.branch]);
      assert.equal(await plainGit(bareFolder, ['show', `${pullRequest.branch}:added.txt`]), 'new');
      assert.deepEqual(forge.violations(), []);
    });

    it('is worked on from its private URL, and its token is nowhere', async () => {
      await makeClone();
      const id = await shop.begin(bash('env; git config --list; echo new > added.txt'), { source: cloneUrl });
      await shop.until(id, 'one turn', idle(1));
      const { pullRequest } = await shop.client.call('pullRequest.open', { sessionId: id });
      assert.equal(await plainGit(bareFolder, ['show', `${pullRequest.branch}:added.txt`]), 'new');
      const events = JSON.stringify(await shop.events(id));
      assert.match(events, /PATH=/, 'the agent printed its environment');
      for (const secret of [forge.token, Buffer.from(`oauth2:${forge.token}`).toString('base64')]) {
        assert(!events.includes(secret) && !shop.relay.log.includes(secret));
        const { stdout } = await run('grep', ['-rlaF', secret, shop.dataFolder]).catch(() => ({ stdout: '' }));
        assert.equal(stdout, '');
      }
    });

    it('redacts the token where an agent says it', async () => {
      const id = await shop.begin([{ text: `The token is ${forge.token}.` }]);
      await shop.until(id, 'one turn', idle(1));
      const events = JSON.stringify(await shop.events(id));
      assert(!events.includes(forge.token));
      assert.match(events, /The token is /);
    });

    it('is neither looked at by itself nor tended, and a look at it is no failure', async () => {
      const id = await beginChange(shop, await makeClone());
      const { pullRequest } = await shop.client.call('pullRequest.open', { sessionId: id });
      const before = forge.requests().length;
      assert.deepEqual(await shop.client.call('pullRequest.look', { sessionId: id }), { pullRequest });
      await assert.rejects(shop.client.call('pullRequest.tend', { sessionId: id, deed: 'fixChecks' }), {
        code: 'no_forge',
        message: /GitHub only/,
      });
      await shop.relay.stop();
      await shop.relay.start();
      assert.deepEqual(await shop.client.call('pullRequest.look', { sessionId: id }), { pullRequest });
      assert.equal(forge.requests().length, before);
      assert.doesNotMatch(shop.relay.log, /could not be looked at/);
    });

    it('is landed by the command line, which brings no token of another forge', async () => {
      const id = await beginChange(shop, await makeClone());
      const { stdout } = await cli('pr', id, '--ready');
      assert.match(stdout.trim(), page);
      assert.equal(pulls()[0]?.draft, false);
    });

    it('says which token is missing or wrong', async () => {
      const id = await beginChange(shop, await makeClone());
      for (const [token, code] of [
        ['wrong-token-0123456789', 'forge_unauthorized'],
        [forge.readToken, 'forge_unauthorized'],
      ] as const) {
        await assert.rejects(shop.client.call('pullRequest.open', { sessionId: id, token }), {
          code,
          hint: new RegExp(`${variable}_TOKEN`),
        });
      }
      assert.equal(pulls().length, 0);
    });
  });
}
