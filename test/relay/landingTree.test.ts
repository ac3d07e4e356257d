import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { Cli } from '../support/cliProcess.ts';
import type { GithubServer } from '../support/githubServer.ts';
import {
  bash,
  beginChange,
  type ForgeClone,
  type ForgeWorkshop,
  idle,
  makeForgeClone,
  openForgeWorkshop,
  withToken,
} from '../support/landing.ts';
import { plainGit } from '../support/plainGit.ts';
import type { Workshop } from '../support/workshop.ts';

const TWO_FILES = 'echo one > one.txt; echo two > two.txt';

describe('what lands of a session', function () {
  this.timeout(60_000);
  let forge: ForgeWorkshop;
  let github: GithubServer;
  let shop: Workshop;
  let repositories = 0;

  before(async () => {
    forge = await openForgeWorkshop(withToken);
    ({ github, shop } = forge);
  });
  after(() => forge?.dispose());

  const name = () => `tree-${repositories}`;
  const makeClone = (): Promise<ForgeClone> => {
    repositories++;
    return makeForgeClone(shop, github, name());
  };
  const decide = async (sessionId: string, verdict: 'accept' | 'reject', path: string): Promise<void> => {
    const { accepted, proposed } = await shop.client.call('review.list', { sessionId });
    await shop.client.call('review.decide', {
      sessionId,
      verdict,
      files: [{ path }],
      expected: { accepted, proposed },
    });
  };
  const open = (sessionId: string, more: { from?: 'accepted' | 'all'; blockWhilePending?: boolean } = {}) =>
    shop.client.call('pullRequest.open', { sessionId, ...more });
  const filesOf = async (bare: string): Promise<string[]> => {
    const head = github.pullRequests().find(pull => pull.repository === name())?.head ?? '';
    return (await plainGit(bare, ['diff', '--name-only', `main...${head}`])).split('\n');
  };
  const bodyOf = () => github.pullRequests().find(pull => pull.repository === name())?.body ?? '';

  it('is what was accepted, and on request all of it, in one pull request', async () => {
    const { source, bare } = await makeClone();
    const id = await beginChange(shop, source, { command: TWO_FILES });
    await decide(id, 'accept', 'one.txt');
    const described = await shop.client.call('landing.describe', { sessionId: id });
    assert.equal(described.default, 'accepted');
    assert.deepEqual([described.accepted.stats.files, described.all.stats.files, described.pending], [1, 2, 1]);
    const first = await open(id);
    assert.deepEqual([first.from, first.pending], ['accepted', 1]);
    assert.deepEqual(await filesOf(bare), ['one.txt']);
    assert.match(bodyOf(), /Reviewed by .+: 1 accepted\./);
    assert.match(bodyOf(), /- `one\.txt`: accepted by /);
    assert.match(bodyOf(), /Not accepted, and so not part of this pull request: 1 change in 1 file \(`two\.txt`\)/);
    const second = await open(id, { from: 'all' });
    assert.equal(second.pullRequest.number, first.pullRequest.number);
    assert.deepEqual(await filesOf(bare), ['one.txt', 'two.txt']);
    const third = await open(id, { from: 'accepted' });
    assert.deepEqual(await filesOf(bare), ['one.txt']);
    assert.equal((await open(id)).pullRequest.headCommit, third.pullRequest.headCommit, 'a repeat pushes nothing new');
  });

  it('is all where nothing was accepted, and the body says that nobody reviewed it', async () => {
    const { source, bare } = await makeClone();
    const id = await beginChange(shop, source, { command: TWO_FILES });
    await assert.rejects(open(id, { from: 'accepted' }), { code: 'nothing_to_land', hint: /land all/ });
    assert.equal((await open(id)).from, 'all');
    assert.deepEqual(await filesOf(bare), ['one.txt', 'two.txt']);
    assert.match(bodyOf(), /Nobody has reviewed/);
    assert.match(bodyOf(), /Not reviewed, but part of this pull request: 2 changes in 2 files/);
  });

  it('is all without what was rejected, and nothing accepted after it was taken back', async () => {
    const { source, bare } = await makeClone();
    const id = await beginChange(shop, source, { command: TWO_FILES });
    await decide(id, 'accept', 'one.txt');
    await decide(id, 'reject', 'two.txt');
    await shop.client.call('review.undo', { sessionId: id, seq: (await reviewSeqs(id))[0] ?? 0 });
    const opened = await open(id);
    assert.equal(opened.from, 'all');
    assert.deepEqual(await filesOf(bare), ['one.txt']);
    assert.match(bodyOf(), /1 rejected/);
  });

  const reviewSeqs = async (id: string) =>
    (await shop.events(id)).filter(({ body }) => body.type === 'reviewDecided').map(({ seq }) => seq);

  it('waits for the review when the client wants that, and says how many are left', async () => {
    const { source } = await makeClone();
    const id = await beginChange(shop, source, { command: TWO_FILES });
    await decide(id, 'accept', 'one.txt');
    await assert.rejects(open(id, { blockWhilePending: true }), {
      code: 'review_pending',
      message: /is 1 change in 1 file not reviewed yet/,
      hint: /Accept or reject/,
    });
    const cli = new Cli(shop.dataFolder);
    const refused = await cli.run(['pr', id, '--block-while-pending']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /1 change in 1 file not reviewed yet/);
    assert.equal(github.pullRequests().filter(pull => pull.repository === name()).length, 0, 'nothing was pushed');
    await decide(id, 'reject', 'two.txt');
    const { stdout, stderr } = await cli.run(['pr', id, '--block-while-pending', '--json']);
    const answer: unknown = JSON.parse(stdout);
    assert.ok(typeof answer === 'object' && answer !== null && 'from' in answer && answer.from === 'accepted');
    assert.match(stderr, /The accepted changes/);
  });

  it('can be chosen on the command line', async () => {
    const { source, bare } = await makeClone();
    const id = await beginChange(shop, source, { command: TWO_FILES });
    await decide(id, 'accept', 'one.txt');
    const cli = new Cli(shop.dataFolder);
    assert.equal((await cli.run(['pr', id, '--from', 'all'])).code, 0);
    assert.deepEqual(await filesOf(bare), ['one.txt', 'two.txt']);
    assert.equal((await cli.run(['pr', id, '--from', 'nothing'])).code, 2);
  });

  it('is asked for anew after another turn', async () => {
    const { source, bare } = await makeClone();
    const id = await beginChange(shop, source, { command: TWO_FILES });
    await decide(id, 'accept', 'one.txt');
    await open(id);
    await shop.send(id, bash('echo more >> one.txt'));
    await shop.until(id, 'two turns', idle(2));
    assert.deepEqual([(await open(id)).from, (await open(id)).pending], ['accepted', 2]);
    const head = github.pullRequests().find(pull => pull.repository === name())?.head ?? '';
    assert.equal(await plainGit(bare, ['show', `${head}:one.txt`]), 'one', 'the new line is not accepted');
  });
});
