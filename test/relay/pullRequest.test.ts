import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import type { PullRequest } from '../../protocol/events.ts';
import { folderState } from '../unit/git/folderState.ts';
import { eventually } from '../support/eventually.ts';
import type { GithubServer } from '../support/githubServer.ts';
import { bash, beginChange, type ForgeWorkshop, idle, makeForgeClone, openForgeWorkshop } from '../support/landing.ts';
import { plainGit } from '../support/plainGit.ts';
import { watchArguments } from '../support/processArguments.ts';
import type { Workshop } from '../support/workshop.ts';

const run = promisify(execFile);
describe('a pull request', function () {
  this.timeout(60_000);
  let forge: ForgeWorkshop;
  let github: GithubServer;
  let shop: Workshop;
  let bare = '';
  let repositories = 0;

  before(async () => {
    forge = await openForgeWorkshop();
    ({ github, shop } = forge);
  });
  after(() => forge?.dispose());

  /** A clone of a repository on the forge of its own. */
  async function makeRepository(): Promise<string> {
    const clone = await makeForgeClone(shop, github, `landing-${++repositories}`);
    bare = clone.bare;
    return clone.source;
  }

  function open(
    sessionId: string,
    more: { key?: string; draft?: boolean; issue?: number; token?: string; title?: string } = {},
  ): Promise<{ pullRequest: PullRequest; created: boolean; seq: number }> {
    return shop.client.call('pullRequest.open', { sessionId, token: github.token, ...more });
  }

  const pulls = () => github.pullRequests().filter(pull => pull.repository === `landing-${repositories}`);
  const commits = (branch: string) => plainGit(bare, ['log', '--format=%s', `main..${branch}`]);

  it('is pushed over HTTP and opened as a draft that says what was asked, and the user’s repository stays as it is', async () => {
    const source = await makeRepository();
    const before = folderState(source);
    const id = await beginChange(shop, source);
    const { pullRequest, created } = await open(id, { issue: 7 });
    assert.equal(created, true);
    assert.equal(pullRequest.draft, true);
    assert.ok(pullRequest.url.startsWith(github.url));
    const [pull] = pulls();
    assert.equal(pull?.draft, true);
    assert.equal(pull.base, 'main');
    assert.match(pull.body ?? '', /Please do this/);
    assert.match(pull.body ?? '', /`added\.txt` \(added, \+1 −0\)/);
    assert.match(pull.body ?? '', /^Closes #7$/m);
    assert.equal(await plainGit(bare, ['show', `${pull.head}:added.txt`]), 'new');
    assert.equal(await commits(pull.head), 'Add a file');
    assert.deepEqual(folderState(source), before);
    assert.deepEqual(github.violations(), []);
    const state = await shop.client.call('session.get', { sessionId: id });
    assert.equal(state.pullRequest?.number, pull.number);
  });

  it('is one, however often it is asked for: the same key, another key, two at once', async () => {
    const id = await beginChange(shop, await makeRepository());
    const key = 'key_the_same_for_both';
    const [first, at_once] = await Promise.all([open(id, { key }), open(id)]);
    assert.deepEqual(await open(id, { key }), first);
    const again = await open(id);
    assert.equal(again.created, false);
    assert.equal([first, at_once].filter(answer => answer.created).length, 1);
    assert.equal(again.pullRequest.number, first.pullRequest.number);
    assert.equal(pulls().length, 1);
    assert.equal((await commits(pulls()[0]?.head ?? '')).split('\n').length, 1);
  });

  it('gets a second commit from a second turn', async () => {
    const id = await beginChange(shop, await makeRepository());
    const first = await open(id);
    await shop.send(id, bash('echo more >> added.txt'));
    await shop.until(id, 'two turns', idle(2));
    const second = await open(id);
    assert.equal(second.created, false);
    assert.equal(second.pullRequest.number, first.pullRequest.number);
    assert.notEqual(second.pullRequest.headCommit, first.pullRequest.headCommit);
    const head = pulls()[0]?.head ?? '';
    assert.equal((await commits(head)).split('\n').length, 2);
    assert.equal(await plainGit(bare, ['show', `${head}:added.txt`]), 'new\nmore');
  });

  it('is opened ready for review where drafts are not supported', async () => {
    const id = await beginChange(shop, await makeRepository());
    github.fault('draftUnsupported');
    const { pullRequest } = await open(id);
    assert.equal(pullRequest.draft, false);
    assert.equal(pulls().length, 1);
  });

  it('needs a token that the forge accepts, says so, and comes with the right one', async () => {
    const id = await beginChange(shop, await makeRepository());
    for (const [token, hint] of [
      [undefined, /SANDPIPER_GITHUB_TOKEN/],
      ['ghp_wrong0123456789', /token/i],
      [github.readToken, /token/i],
    ] as const) {
      await assert.rejects(
        shop.client.call('pullRequest.open', { sessionId: id, ...(token === undefined ? {} : { token }) }),
        (error: { code?: string; message?: string; hint?: string }) => {
          assert.equal(error.code, 'forge_unauthorized');
          assert.match(error.message ?? '', /127\.0\.0\.1/);
          assert.match(error.hint ?? '', hint);
          return true;
        },
      );
    }
    assert.equal((await open(id)).created, true);
  });

  it('needs a remote on a forge', async () => {
    const id = await beginChange(shop, shop.repository);
    await assert.rejects(open(id), { code: 'no_forge', message: /sample has no remote/, hint: /git remote add/ });
  });

  it('needs a change', async () => {
    const id = await shop.begin([{ text: 'Nothing to do.' }], { source: await makeRepository() });
    await shop.until(id, 'one turn', idle(1));
    await assert.rejects(open(id), { code: 'nothing_to_land', hint: /message/ });
    assert.equal(pulls().length, 0);
  });

  it('goes into the default branch when the session started from no branch, or from one that the forge has not', async () => {
    const source = await makeRepository();
    await plainGit(source, ['checkout', '-q', '--detach']);
    await open(await beginChange(shop, source));
    await plainGit(source, ['checkout', '-q', '-b', 'only-here']);
    await open(await beginChange(shop, source, { command: 'echo other > other.txt' }));
    assert.deepEqual(
      pulls().map(pull => pull.base),
      ['main', 'main'],
    );
  });

  it('comes although the forge failed after the push, and the agent worked on and the title is another by then', async () => {
    const id = await beginChange(shop, await makeRepository());
    github.fault('badGateway', { operation: 'pulls/create' });
    await assert.rejects(open(id), { code: 'forge_unreachable', hint: /.+/ });
    await shop.send(id, bash('echo more >> added.txt'));
    await shop.until(id, 'two turns', idle(2));
    assert.equal((await open(id, { title: 'Another title' })).created, true);
    assert.equal(pulls().length, 1);
    assert.equal(pulls()[0]?.title, 'Another title');
    assert.equal(await plainGit(bare, ['show', `${pulls()[0]?.head}:added.txt`]), 'new\nmore');
  });

  it('comes again when its branch was merged and removed', async () => {
    const id = await beginChange(shop, await makeRepository());
    const { pullRequest } = await open(id);
    const branch = pulls()[0]?.head ?? '';
    await plainGit(bare, ['update-ref', 'refs/heads/main', branch]);
    github.merge('owner', `landing-${repositories}`, pullRequest.number);
    await plainGit(bare, ['branch', '-D', branch]);
    await shop.send(id, bash('echo more >> added.txt'));
    await shop.until(id, 'two turns', idle(2));
    const second = await open(id);
    assert.equal(second.created, true);
    assert.equal(await commits(branch), 'Add a file');
  });

  for (const fault of ['socketCut', 'socketCutAfterEffect'] as const) {
    it(`is one after the relay was killed in the middle of opening it (${fault})`, async () => {
      const id = await beginChange(shop, await makeRepository());
      const branchesBefore = (await plainGit(bare, ['branch', '--format=%(refname)'])).split('\n').length;
      github.fault(fault);
      const key = `key_killed_${fault}`;
      // After the cut the relay looks for the pull request for seconds: it is killed between the push and its answer.
      const interrupted = open(id, { key }).catch(() => undefined);
      await eventually(async () => {
        const branches = (await plainGit(bare, ['branch', '--format=%(refname)'])).split('\n');
        assert.equal(branches.length, branchesBefore + 1, 'the branch is pushed');
      });
      await shop.relay.stop('SIGKILL');
      await shop.relay.start();
      // The client sends the call again by itself, with the same key; that may be the one that is cut.
      const opened = (await interrupted) ?? (await open(id, { key }));
      assert.equal(pulls().length, 1);
      assert.equal(opened.pullRequest.number, pulls()[0]?.number);
      assert.deepEqual(await open(id, { key }), opened);
    });
  }

  it('leaves the token nowhere: no event, log, file of the relay or process argument', async () => {
    const token = github.token;
    const encoded = Buffer.from(`x-access-token:${token}`).toString('base64');
    const source = await makeRepository();
    const id = await beginChange(shop, source);
    const watch = watchArguments();
    await open(id);
    const seen = await watch.end();
    assert.ok(seen.includes('git'), 'the watch saw the push');
    const places = { arguments: seen, log: shop.relay.log, events: JSON.stringify(await shop.events(id)) };
    for (const [place, text] of Object.entries(places)) {
      assert.equal(text.includes(token) || text.includes(encoded), false, place);
    }
    for (const secret of [token, encoded]) {
      const { stdout } = await run('grep', ['-rlaF', secret, shop.dataFolder, source]).catch(() => ({ stdout: '' }));
      assert.equal(stdout, '');
    }
  });
});
