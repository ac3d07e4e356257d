import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { RelayClient } from '../../client/relayClient.ts';
import { reduceEvents } from '../../protocol/reducer.ts';
import { newId } from '../../protocol/ids.ts';
import { readRecording } from '../../server/src/samples/recording.ts';
import { Cli } from '../support/cliProcess.ts';
import { eventually } from '../support/eventually.ts';
import { pathWithoutBubblewrap } from '../support/pathWithoutBubblewrap.ts';
import { plainGit } from '../support/plainGit.ts';
import { rejects } from '../support/rejects.ts';
import { RelayProcess, temporaryFolder } from '../support/relayProcess.ts';

const recording = readRecording();
const last = recording.turns.at(-1) ?? {};

describe('the sample session', function () {
  this.timeout(120_000);
  let tools: Awaited<ReturnType<typeof temporaryFolder>>;
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let env: Record<string, string>;
  let relay: RelayProcess;
  let client: RelayClient;
  let cli: Cli;

  before(async () => {
    tools = await temporaryFolder();
    // Neither key nor Claude Code nor isolation.
    env = { PATH: await pathWithoutBubblewrap(tools.path), SANDPIPER_CLAUDE: join(tools.path, 'no-claude') };
  });
  after(async () => {
    await tools?.remove();
  });
  beforeEach(async () => {
    scratch = await temporaryFolder();
    relay = new RelayProcess({ dataFolder: scratch.path, env });
    cli = new Cli(scratch.path, env);
    await relay.start();
    client = relay.client();
    client.connect();
  });
  afterEach(async () => {
    client?.dispose();
    await relay?.stop();
    await scratch?.remove();
  });

  const make = (key = newId('key')) => client.call('session.sample', { key });
  const get = (sessionId: string) => client.call('session.get', { sessionId });
  const listed = async () => (await client.call('session.list', {})).sessions.map(({ id }) => id);
  const names = async (folder: string) => (await readdir(folder)).filter(name => name !== '.git').toSorted();
  const textsIn = async (folder: string) =>
    Object.fromEntries(
      await Promise.all(
        (await names(folder)).map(async name => [name, await readFile(join(folder, name), 'utf8')] as const),
      ),
    );
  const acceptAll = async (sessionId: string) => {
    const { proposed } = await get(sessionId);
    return client.call('changes.acceptAll', { sessionId, expectedProposed: proposed });
  };

  it('is made of nothing but the relay and git, and is finished and honest', async () => {
    const { sessionId, folder } = await make();
    const state = await get(sessionId);
    const { events } = await client.call('session.events', { sessionId, limit: 1 });
    assert.equal(events[0]?.body.type === 'sessionCreated' && events[0].body.sample, true);
    assert.match(state.title, /^Sample: /);
    assert.equal(state.phase.kind, 'idle');
    assert.equal(state.agent.running, false);
    assert.equal(state.usage.costUsd, 0);
    const said = state.items.at(-1);
    assert.match(said?.kind === 'notice' ? said.text : '', /recorded.*No agent is behind it/);
    assert.deepEqual(
      state.turns.map(({ agent, checkpoint }) => [agent?.outcome, checkpoint?.changed]),
      recording.turns.map(() => ['completed', true]),
    );
    assert.ok(state.todos?.every(({ status }) => status === 'done'));
    assert.equal(state.answered.filter(({ kind }) => kind === 'questions').length, 1);
    assert.deepEqual(await textsIn(folder), recording.base.files);
    assert.equal(await plainGit(folder, ['status', '--porcelain']), '');
    // What the log says of the review is what the mirror has.
    const { review, files } = await client.call('review.list', { sessionId });
    assert.deepEqual(review, { pendingFiles: 4, pending: 8, reviewed: 0 });
    assert.deepEqual(
      { pendingFiles: state.review.pendingFiles, pending: state.review.pending, reviewed: state.review.reviewed },
      review,
    );
    assert.deepEqual(files.map(({ path }) => path).toSorted(), Object.keys(last).toSorted());
    const { stats } = await client.call('changes.list', { sessionId, from: 'base' });
    assert.deepEqual(stats, state.stats);
  });

  it('is reviewed to the end, compared, commented, exported and applied as any other', async () => {
    const { sessionId, folder } = await make();
    const seen = await client.call('review.list', { sessionId });
    const expected = { accepted: seen.accepted, proposed: seen.proposed };
    const cart = seen.files.find(({ path }) => path === 'cart.mjs');
    const hunks = cart?.hunks.map(({ id }) => id) ?? [];
    assert.equal(hunks.length, 3);
    const files = [{ path: 'cart.mjs', hunks: hunks.slice(2) }];
    const rejected = await client.call('review.decide', { sessionId, verdict: 'reject', files, expected });
    assert.equal(rejected.review.pending, 7);
    await client.call('review.undo', { sessionId });
    const { blob } = await client.call('changes.file', { sessionId, side: 'proposed', path: 'cart.mjs' });
    await client.call('review.comment', {
      sessionId,
      target: { kind: 'lines', side: 'proposed', path: 'cart.mjs', object: blob ?? '', lines: { start: 13, count: 1 } },
      text: 'Why?',
    });
    const { files: second } = await client.call('changes.list', { sessionId, from: 'turn:1', to: 'turn:2' });
    assert.deepEqual(
      second.map(({ path }) => path),
      ['README.md'],
    );
    await acceptAll(sessionId);
    assert.equal((await get(sessionId)).review.pending, 0);

    const exported = await cli.run(['export', sessionId]);
    assert.equal(exported.code, 0, exported.stderr);
    assert.match(exported.stdout, /All six tests pass now/);
    const applied = await cli.run(['apply', sessionId], { cwd: folder });
    assert.equal(applied.code, 0, applied.stderr);
    assert.deepEqual(await textsIn(folder), { ...recording.base.files, ...last });
  });

  it('refuses what only an agent or a forge could do, and loses nothing', async () => {
    const { sessionId } = await make();
    const { seq } = await get(sessionId);
    const expected = /recorded sample/;
    for (const call of [
      client.call('session.send', { sessionId, text: 'go on' }),
      client.call('session.retry', { sessionId }),
      client.call('session.move', { sessionId, provider: 'docker' }),
      client.call('checkpoint.restore', { sessionId, turn: 1, code: true, conversation: true }),
      client.call('checkpoint.branch', { sessionId, turn: 1 }),
      client.call('review.submit', { sessionId }),
      client.call('spec.extract', { sessionId }),
      client.call('pullRequest.open', { sessionId }),
    ]) {
      const error = await rejects(call, 'conflict');
      assert.match(error.message, expected);
      assert.match(error.hint ?? '', /session of your own/);
    }
    assert.deepEqual(await client.call('session.stop', { sessionId }), { stopping: false });
    assert.equal((await get(sessionId)).seq, seq);
    const sent = await cli.run(['send', sessionId, 'go on']);
    assert.notEqual(sent.code, 0);
    assert.match(sent.stderr, /recorded sample.*session of your own/s);
  });

  it('is the same one when asked for again, also at once, until it is archived or deleted', async () => {
    const both = await Promise.all([make(), make()]);
    assert.deepEqual(both[0], both[1]);
    const first = both[0].sessionId;
    await client.call('session.rename', { sessionId: first, title: 'Mine' });
    assert.equal((await make()).sessionId, first);
    await client.call('session.archive', { sessionId: first, archived: true });
    const second = (await make()).sessionId;
    assert.notEqual(second, first);
    await client.call('session.delete', { sessionId: second });
    const key = newId('key');
    const third = await make(key);
    assert.equal(new Set([first, second, third.sessionId]).size, 3);
    assert.deepEqual(await make(key), third);
    assert.deepEqual(await listed(), [third.sessionId]);
    assert.equal((await get(third.sessionId)).review.pending, 8);
    await client.call('session.restore', { sessionId: second });
    assert.equal((await get(second)).review.pending, 8);
    await rejects(client.call('session.send', { sessionId: second, text: 'go on' }), 'conflict');
  });

  it('makes its repository anew where that is gone or is another, and never throws a person’s files away', async () => {
    const { folder, sessionId } = await make();
    await rm(folder, { recursive: true });
    assert.equal((await make()).sessionId, sessionId);
    assert.deepEqual(await textsIn(folder), recording.base.files);
    await writeFile(join(folder, 'mine.txt'), 'mine\n');
    await make();
    assert.equal(await readFile(join(folder, 'mine.txt'), 'utf8'), 'mine\n');
    await rm(join(folder, '.git'), { recursive: true });
    await make();
    assert.deepEqual(await textsIn(folder), recording.base.files);
    const aside = (await readdir(join(folder, '..'))).filter(name => name !== 'cart');
    assert.equal(aside.length, 1);
    assert.equal(await readFile(join(folder, '..', aside[0] ?? '', 'mine.txt'), 'utf8'), 'mine\n');
  });

  const POINTS: Record<string, () => boolean> = {
    'its repository is there': () => existsSync(join(scratch.path, 'samples/cart')),
    'its mirror is begun': () => existsSync(join(scratch.path, 'mirrors')),
    'its refs are written': () => refsIn(join(scratch.path, 'mirrors')),
  };
  const refsIn = (mirrors: string): boolean =>
    existsSync(mirrors) && readdirSync(mirrors).some(name => existsSync(join(mirrors, name, 'refs/sandpiper')));
  for (const [when, reached] of Object.entries(POINTS)) {
    it(`is made once and whole when the relay is killed as soon as ${when}`, async () => {
      const made = make();
      await eventually(() => assert.ok(reached()));
      await relay.stop('SIGKILL');
      await relay.start();
      const { sessionId, folder } = await made;
      assert.deepEqual(await listed(), [sessionId]);
      assert.deepEqual(await textsIn(folder), recording.base.files);
      const state = await get(sessionId);
      await relay.stop('SIGKILL');
      await relay.start();
      assert.deepEqual(await get(sessionId), state, 'nothing was taken up, and nothing called stuck');
      const { events } = await client.call('session.events', { sessionId, limit: 1000 });
      assert.deepEqual(reduceEvents(undefined, events, sessionId), state);
      await acceptAll(sessionId);
      assert.equal((await get(sessionId)).review.pending, 0);
    });
  }

  it('is made and shown by the command line', async () => {
    const first = await cli.run(['sample', '--json']);
    assert.equal(first.code, 0, first.stderr);
    const { sessionId } = await make();
    assert.ok(first.stdout.includes(sessionId));
    const second = await cli.run(['sample']);
    assert.ok(
      second.stdout.startsWith(`session ${sessionId}\nIts repository is ${join(scratch.path, 'samples/cart')}`),
    );
  });
});
