import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { startGithubServer, type CreatedRepository, type GithubServer } from '../support/githubServer.ts';
import type { StepInput } from '../support/modelScript.ts';
import { plainGit } from '../support/plainGit.ts';
import { noteGitArguments, watchArguments } from '../support/processArguments.ts';
import { temporaryFolder } from '../support/relayProcess.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const run = promisify(execFile);
const idle = (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === 1;

// What the agent could find is in the log and in its checkpoint.
const SCRIPT: StepInput[] = [
  { tool: 'Bash', input: { command: 'env; git config --list; git remote -v; echo new > added.txt' } },
  { text: 'Done.' },
];

describe('a private repository by its URL', function () {
  this.timeout(60_000);
  let github: GithubServer;
  let shop: Workshop;
  let tools: Awaited<ReturnType<typeof temporaryFolder>>;
  let gitArguments: Awaited<ReturnType<typeof noteGitArguments>>;
  let repositories = 0;

  before(async () => {
    github = await startGithubServer();
    tools = await temporaryFolder();
    gitArguments = await noteGitArguments(tools.path);
    shop = await openWorkshop({
      SANDPIPER_GITHUB_HOSTS: `${github.host}=${github.apiUrl}`,
      PATH: gitArguments.path,
    });
  });
  after(async () => {
    await shop.dispose();
    await github.close();
    await tools.remove();
  });

  /** Each has a mirror of its own: what one test fetched is not there for the next. */
  function makeRepository(): Promise<CreatedRepository> {
    return github.createRepository('owner', `private-${++repositories}`, { from: shop.repository });
  }

  async function assertNowhere(secrets: string[], texts: Record<string, string>): Promise<void> {
    for (const secret of secrets) {
      for (const [place, text] of Object.entries(texts)) {
        assert.equal(text.includes(secret), false, place);
      }
      const { stdout } = await run('grep', ['-rlaF', secret, shop.dataFolder]).catch(() => ({ stdout: '' }));
      assert.equal(stdout, '');
    }
  }

  it('is refused without a token, says what to do, and leaves no session', async () => {
    const { cloneUrl } = await makeRepository();
    const count = async () => (await shop.client.call('session.list', {})).sessions.length;
    const before = await count();
    for (const token of [undefined, 'ghp_wrong0123456789']) {
      await assert.rejects(shop.begin(SCRIPT, { source: cloneUrl, ...(token === undefined ? {} : { token }) }), {
        code: 'forge_unauthorized',
        message: /could not be read/,
        hint: /SANDPIPER_GITHUB_TOKEN/,
      });
    }
    assert.equal(await count(), before);
  });

  it('is worked on and landed with a token, which is in no file, log, event, argument or sandbox', async () => {
    const { cloneUrl, bareFolder } = await makeRepository();
    const watch = watchArguments();
    const id = await shop.begin(SCRIPT, { source: cloneUrl, token: github.readToken });
    await shop.until(id, 'one turn', idle);
    const seen = `${await gitArguments.read()}\n${await watch.end()}`;
    assert.ok(seen.includes(cloneUrl), 'git was given the URL');
    const { pullRequest } = await shop.client.call('pullRequest.open', { sessionId: id, token: github.token });
    assert.equal(pullRequest.baseBranch, 'main');
    assert.equal(await plainGit(bareFolder, ['show', `${pullRequest.branch}:added.txt`]), 'new');
    const events = JSON.stringify(await shop.events(id));
    assert.match(events, /PATH=/, 'the agent printed its environment');
    const encoded = Buffer.from(`x-access-token:${github.readToken}`).toString('base64');
    await assertNowhere([github.readToken, encoded], { arguments: seen, log: shop.relay.log, events });
  });

  it('may have user and token in its URL, which are used and forgotten', async () => {
    const { cloneUrl } = await makeRepository();
    const source = cloneUrl.replace('//', `//x-access-token:${github.readToken}@`);
    const id = await shop.begin(SCRIPT, { source });
    const state = await shop.until(id, 'one turn', idle);
    assert.equal(state.repository.source, cloneUrl);
    const encoded = Buffer.from(`x-access-token:${github.readToken}`).toString('base64');
    const events = JSON.stringify(await shop.events(id));
    await assertNowhere([github.readToken, encoded], { log: shop.relay.log, events });
    const { repository } = await shop.client.call('repository.inspect', { source });
    assert.equal(repository.source, cloneUrl);
  });

  it('asks for the token again when the relay was killed before it had fetched, and goes on with it', async () => {
    const { cloneUrl } = await makeRepository();
    // Looking for the branch takes at most two requests; fetching it is held.
    const hold = github.holdGit(2);
    const id = await shop.begin(SCRIPT, { source: cloneUrl, token: github.readToken });
    await eventually(() => assert.ok(hold.held() > 0, 'the relay fetches'));
    await shop.relay.stop('SIGKILL');
    hold.release();
    await shop.relay.start();
    const blocked = await shop.until(id, 'blocked', state => state.phase.kind === 'blocked');
    assert.equal(blocked.phase.kind === 'blocked' && blocked.phase.failure.code, 'forge_unauthorized');
    await shop.client.call('session.retry', { sessionId: id, token: github.readToken });
    await shop.until(id, 'one turn', idle);
  });
});
