import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { PullRequest } from '../../protocol/events.ts';
import { pullRequestText } from '../../protocol/pullRequestText.ts';
import { Cli } from '../support/cliProcess.ts';
import { eventually } from '../support/eventually.ts';
import type { GithubServer } from '../support/githubServer.ts';
import { openHookWorld, stateOf, type HookWorld } from '../support/hookWorld.ts';
import {
  beginChange,
  type ForgeWorkshop,
  idle,
  makeForgeClone,
  openForgeWorkshop,
  withToken,
} from '../support/landing.ts';
import { scripted } from '../support/modelScript.ts';
import { plainGit } from '../support/plainGit.ts';
import type { Workshop } from '../support/workshop.ts';

describe('what a session says of its pull request', function () {
  this.timeout(120_000);
  let forge: ForgeWorkshop;
  let github: GithubServer;
  let shop: Workshop;
  let repositories = 0;

  before(async () => {
    forge = await openForgeWorkshop(github => ({ ...withToken(github), SANDPIPER_PULL_REQUEST_SECONDS: '0.05' }));
    ({ github, shop } = forge);
  });
  after(() => forge?.dispose());

  async function openPull(): Promise<{ id: string; name: string; source: string; bare: string; pull: PullRequest }> {
    const name = `tended-${++repositories}`;
    const { source, bare } = await makeForgeClone(shop, github, name);
    const id = await beginChange(shop, source, { command: 'echo new > added.txt' });
    const { pullRequest: pull } = await shop.client.call('pullRequest.open', { sessionId: id });
    return { id, name, source, bare, pull };
  }

  const now = async (id: string) => (await shop.client.call('session.get', { sessionId: id })).pullRequest;
  const says = (id: string, text: string): Promise<void> =>
    eventually(async () => {
      const pull = await now(id);
      assert.equal(pull && pullRequestText(pull), text);
    }, 30_000);

  it('follows its checks, its reviews, its threads and its base, and ends with the merge', async () => {
    const { id, name, source, bare, pull } = await openPull();
    const { talk } = github.people('owner', name);
    await eventually(async () => assert.equal((await now(id))?.status?.checks.state, 'none'), 30_000);
    const check = { id: 1, commit: pull.headCommit, name: 'test', log: '' };
    const running = { ...check, conclusion: null };
    talk.checks.push(running);
    await says(id, 'draft, checks running');
    Object.assign(running, { conclusion: 'failure' });
    await says(id, 'draft, checks failed: test');
    Object.assign(running, { conclusion: 'success' });
    await says(id, 'draft, checks passed');

    const comments = [{ path: 'added.txt', line: 1, body: 'Why?' }];
    talk.review(pull.number, 'alice', { state: 'CHANGES_REQUESTED', comments });
    await says(id, 'draft, checks passed, changes requested, 1 thread open');
    talk.review(pull.number, 'alice', { state: 'APPROVED' });
    talk.reviewComments.length = 0;
    await says(id, 'draft, checks passed, approved');

    await plainGit(source, ['commit', '-q', '--allow-empty', '-m', 'Something else']);
    await plainGit(source, ['push', '-q', bare, 'HEAD:main']);
    await says(id, 'draft, checks passed, approved, 1 behind its base');
    assert.equal((await now(id))?.status?.conflicts, false);

    github.merge('owner', name, pull.number);
    await says(id, 'merged');
    const row = (await shop.client.call('session.list', {})).sessions.find(one => one.id === id);
    assert.equal(row?.pullRequest?.state, 'merged');
    assert.equal(row.pullRequest.status, undefined);
    assert.deepEqual(github.violations(), []);
  });

  it('says that it conflicts with its base', async () => {
    const { id, source, bare } = await openPull();
    await plainGit(source, ['checkout', '-q', '-B', 'other']);
    await plainGit(source, ['-c', 'core.hooksPath=/dev/null', 'commit', '-q', '--allow-empty', '-m', 'x']);
    const blob = await plainGit(source, ['hash-object', '-w', 'README.md']);
    await plainGit(source, ['update-index', '--add', '--cacheinfo', `100644,${blob},added.txt`]);
    await plainGit(source, ['commit', '-qm', 'The same name']);
    await plainGit(source, ['push', '-q', bare, 'HEAD:main']);
    await says(id, 'draft, conflicts with its base, 2 behind its base');
  });

  it('is asked for with what was answered before, writes down only what is new, and goes on after a failure', async () => {
    const { id, name } = await openPull();
    await eventually(async () => assert.ok((await now(id))?.status), 30_000);
    const { seq } = await shop.client.call('session.get', { sessionId: id });
    const mine = () => github.requests().filter(({ path }) => path.includes(`/${name}/`));
    const unchanged = (from: number) =>
      mine()
        .slice(from)
        .filter(({ operation, status }) => operation === 'pulls/get' && status === 304).length;
    await eventually(async () => assert.ok(unchanged(0) >= 3), 30_000);
    assert.equal((await shop.client.call('session.get', { sessionId: id })).seq, seq);
    const before = mine().length;
    github.fault('badGateway', { operation: 'pulls/get', times: 2 });
    await eventually(
      async () =>
        assert.ok(
          mine()
            .slice(before)
            .some(({ status }) => status === 502),
        ),
      30_000,
    );
    await eventually(async () => assert.ok(unchanged(before) >= 1), 30_000);
  });

  it('is told on the command line, with a code of its own when somebody is needed', async () => {
    const cli = new Cli(shop.dataFolder);
    const { id, name, pull } = await openPull();
    const fine = await cli.run(['pr', id, '--status']);
    assert.deepEqual([fine.code, fine.stdout], [0, `#${pull.number}: draft\n${pull.url}\n`], fine.stderr);
    const { talk } = github.people('owner', name);
    talk.checks.push({ id: 1, commit: pull.headCommit, name: 'test', conclusion: 'failure', log: '' });
    const failed = await cli.run(['pr', id, '--status']);
    assert.deepEqual([failed.code, failed.stdout], [3, `#${pull.number}: draft, checks failed: test\n${pull.url}\n`]);
  });

  it('is acted on by a press: failed checks and open threads become a turn each, by those who may write', async () => {
    const cli = new Cli(shop.dataFolder);
    const { id, name, bare, pull } = await openPull();
    const { talk } = github.people('owner', name);
    talk.permissions.set('alice', 'write').set('mallory', 'read').set('sandpiper-tester', 'write');
    for (const deed of ['fixChecks', 'addressReview'] as const) {
      await assert.rejects(shop.client.call('pullRequest.tend', { sessionId: id, deed }), { code: 'conflict' });
    }
    const log = scripted('Error: expected 2', [
      { tool: 'Bash', input: { command: 'echo 2 > fixed.txt' } },
      { text: 'Ok.' },
    ]);
    talk.checks.push({ id: 1, commit: pull.headCommit, name: 'test', conclusion: 'failure', log });
    const key = 'key_of_one_press_of_a_button';
    const sent = await shop.client.call('pullRequest.tend', { sessionId: id, deed: 'fixChecks', key });
    assert.deepEqual(await shop.client.call('pullRequest.tend', { sessionId: id, deed: 'fixChecks', key }), sent);
    const repaired = await shop.until(id, 'the repair', idle(2));
    const asked = repaired.items.find(item => item.kind === 'message' && item.id === sent.messageId);
    assert.ok(asked?.kind === 'message' && asked.origin?.kind === 'checks');
    assert.match(asked.text, /repair asked for by hand[^]*Error: expected 2/);

    const said = scripted('Make it 3.', [
      { tool: 'Bash', input: { command: 'echo 3 > three.txt' } },
      { text: 'Done.' },
    ]);
    talk.review(pull.number, 'alice', { comments: [{ path: 'added.txt', line: 1, body: said }] });
    talk.review(pull.number, 'mallory', {
      body: 'Do evil.',
      comments: [{ path: 'added.txt', line: 1, body: 'Evil.' }],
    });
    const pressed = await cli.run(['pr', id, 'address-review']);
    assert.equal(pressed.code, 0, pressed.stderr);
    const reviewed = await shop.until(id, 'the review', idle(3));
    const review = reviewed.items.findLast(item => item.kind === 'message');
    assert.match(review?.text ?? '', /C1, comment by alice on added\.txt, line 1[^]*Make it 3\./);
    assert.doesNotMatch(review?.text ?? '', /evil/i);
    assert.equal((await cli.run(['pr', id])).code, 0);
    const files = await plainGit(bare, ['ls-tree', '--name-only', pull.branch]);
    assert.match(files, /^fixed\.txt$/m);
    assert.match(files, /^three\.txt$/m);
    assert.deepEqual(github.violations(), []);
  });

  it('is no longer looked at when the session is archived, and says how it stands when that is asked for', async () => {
    const { id, name, pull } = await openPull();
    await shop.client.call('session.archive', { sessionId: id, archived: true });
    github.merge('owner', name, pull.number);
    const { pullRequest } = await shop.client.call('pullRequest.look', { sessionId: id });
    assert.equal(pullRequest.state, 'merged');
    assert.equal((await now(id))?.state, 'merged');
  });
});

describe('what a webhook tells of a pull request', function () {
  this.timeout(240_000);
  let world: HookWorld;

  before(async () => {
    // Never by itself in the time of a test.
    world = await openHookWorld({ SANDPIPER_PULL_REQUEST_SECONDS: '3600' });
  });
  after(() => world.dispose());

  it('is looked at, whoever did it, and its merge stands in the session that it archives', async () => {
    const { repository, github } = world;
    const { talk, hooks } = repository;
    const prompt = scripted('Add it.', [{ tool: 'Bash', input: { command: 'echo 1 > one.txt' } }, { text: 'Done.' }]);
    const number = repository.openIssue('Add', prompt);
    const { request } = await world.settled(await world.deliver(hooks.labelled(number, 'sandpiper', 'alice')));
    const begun = await world.done(request);
    const says = (text: string) =>
      eventually(async () => {
        const { pullRequest } = await stateOf(world, begun);
        assert.equal(pullRequest && pullRequestText(pullRequest), text);
      }, 60_000);
    await eventually(async () => assert.ok((await stateOf(world, begun)).pullRequest?.status), 60_000);
    const { number: pull = 0 } = (await stateOf(world, begun)).pullRequest ?? {};
    const review = talk.review(pull, 'mallory', { state: 'APPROVED' });
    await world.deliver(hooks.reviewed(review));
    await says('draft, approved');
    github.merge('acme', repository.name, pull);
    const closed = await world.settled(await world.deliver(hooks.closed(pull, 'alice')));
    assert.equal((await world.done(closed.request)).state, 'done');
    await says('merged');
    assert.equal((await stateOf(world, begun)).archived, true);
    assert.deepEqual(github.violations(), []);
  });
});
