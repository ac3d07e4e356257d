import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { Cli } from '../support/cliProcess.ts';
import { eventually } from '../support/eventually.ts';
import { Moves } from '../support/moves.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';

const notices = (state: SessionState) => state.items.flatMap(item => (item.kind === 'notice' ? [item] : []));
const LONG_MS = 60_000;

describe('a session that is moved to another sandbox provider', function () {
  this.timeout(180_000);
  let moves: Moves;

  before(async function () {
    const why = await whyNoBoxes();
    requireOrSkip(this, 'moving sessions', why === undefined, why ?? '');
    moves = await Moves.open();
  });
  after(async () => {
    await moves?.dispose();
  });
  afterEach(() => {
    moves.e2b.faults.clear();
    moves.e2b.quota = 100;
  });

  it('goes from this machine to E2B, to Daytona and back, with files, conversation, review and settings', async () => {
    const { client } = moves.shop;
    const id = await moves.worked();
    const { proposed, accepted } = await client.call('review.list', { sessionId: id });
    const files = [{ path: 'all.txt' }];
    await client.call('review.decide', { sessionId: id, verdict: 'accept', files, expected: { accepted, proposed } });
    await client.call('session.configure', { sessionId: id, model: 'claude-other' });
    const before = await client.call('session.get', { sessionId: id });
    assert.ok(before.review.reviewed > 0 && before.review.pending > 0);

    await moves.begin(id, 'e2b');
    const there = await moves.at(id, 'e2b');
    assert.equal(notices(there).at(-1)?.text, 'Moved from this machine to E2B.');
    await moves.only(0, 1, 0);
    const kept = ({ review, model, permissionMode, tags }: SessionState) => [review, model, permissionMode, tags];
    assert.deepEqual(kept(there), kept(before));
    assert.equal(there.isolation, 'vm');
    await moves.next(id, 2);

    await moves.begin(id, 'daytona');
    assert.equal(notices(await moves.at(id, 'daytona', 2)).at(-1)?.text, 'Moved from E2B to Daytona.');
    await moves.only(0, 0, 1);
    await moves.next(id, 3);

    await moves.begin(id, 'local');
    await moves.at(id, 'local', 3);
    await moves.only(1, 0, 0);
    await moves.next(id, 4);
    await moves.remove(id);
  });

  it('is refused with the reason where it cannot be', async () => {
    const { client } = moves.shop;
    const id = await moves.worked();
    const refused = (provider: string, code: string, message: RegExp) =>
      assert.rejects(moves.begin(id, provider), { code, message });
    await refused('local', 'conflict', /The session is on this machine already/);
    await refused('moon', 'invalid_params', /no sandbox provider "moon"/);
    await refused('docker', 'sandbox_unavailable', /./);
    await moves.shop.send(id, [{ tool: 'Bash', input: { command: 'sleep 20' } }, { text: 'never' }]);
    const works = ({ phase, items }: SessionState) =>
      phase.kind === 'working' && items.some(item => item.kind === 'tool' && item.state === 'running');
    await moves.shop.until(id, 'the turn', works);
    await refused('e2b', 'conflict', /The agent is at work/);
    // With the wish to stop it is stopped first.
    await moves.begin(id, 'e2b', true);
    const there = await moves.at(id, 'e2b', 2);
    assert.equal(there.turns[1]?.agent?.outcome, 'stopped');
    await client.call('session.archive', { sessionId: id, archived: true });
    await refused('local', 'conflict', /archived/);
    await moves.remove(id);
  });

  it('is refused while a question is open', async () => {
    const ask = [{ tool: 'Bash', input: { command: 'touch asked.txt' } }, { text: 'done' }];
    const id = await moves.shop.begin(ask, { permissionMode: 'ask' });
    await moves.shop.until(id, 'a question', state => state.approvals.length > 0, LONG_MS);
    await assert.rejects(moves.begin(id, 'e2b'), { code: 'conflict', message: /waits for your answer/ });
    await moves.remove(id);
  });

  it('stays where it was when no sandbox can be made there, or that one vanishes, and says why', async () => {
    const id = await moves.worked();
    moves.e2b.quota = 0;
    await moves.begin(id, 'e2b');
    const refused = await moves.at(id, 'local');
    assert.match(notices(refused).at(-1)?.text ?? '', /^Not moved to E2B: ./);
    assert.match(notices(refused).at(-1)?.hint ?? '', /The session is still on this machine\.$/);
    await moves.only(1, 0, 0);
    moves.e2b.quota = 1;
    const vanishing = eventually(async () => {
      const [machine] = moves.e2b.machines.values();
      assert.ok(machine);
      await machine.kill();
    }, LONG_MS);
    await moves.begin(id, 'e2b');
    await vanishing;
    const vanished = await moves.at(id, 'local');
    assert.equal(notices(vanished).filter(({ text }) => text.startsWith('Not moved to E2B: ')).length, 2);
    await moves.only(1, 0, 0);
    await moves.next(id, 2);
    await moves.remove(id);
  });

  it('stays where it was when a person stops the move, and leaves nothing there', async () => {
    const id = await moves.worked();
    let letGo = (): void => {};
    const held = new Promise<void>(resolve => (letGo = resolve));
    moves.e2b.faults.set(/^POST \/v2\/sandboxes$/, { kind: 'hold', until: held });
    const asked = () => moves.e2b.requests.filter(name => name === 'POST /v2/sandboxes').length;
    const before = asked();
    await moves.begin(id, 'e2b');
    await moves.shop.until(id, 'moving', state => state.moving !== undefined);
    await eventually(() => assert.ok(asked() > before), LONG_MS);
    await assert.rejects(moves.begin(id, 'daytona'), { code: 'conflict', message: /is being moved to E2B/ });
    assert.deepEqual(await moves.shop.client.call('session.stop', { sessionId: id }), { stopping: true });
    letGo();
    await moves.at(id, 'local');
    await moves.only(1, 0, 0);
    await moves.next(id, 2);
    await moves.remove(id);
  });

  it('goes on where it was when the move is stopped while the agent is being ended for it', async () => {
    const id = await moves.worked();
    await moves.begin(id, 'e2b');
    await moves.shop.client.call('session.stop', { sessionId: id });
    await moves.next(id, 2);
    await moves.only(1, 0, 0);
    await moves.remove(id);
  });

  it('removes the old sandbox later when its vendor does not answer', async () => {
    const id = await moves.worked();
    await moves.begin(id, 'e2b');
    await moves.at(id, 'e2b');
    moves.e2b.faults.set(/^DELETE /, { kind: 'answer', status: 500 }, 1000);
    await moves.begin(id, 'local');
    await moves.at(id, 'local');
    await moves.next(id, 2);
    await moves.only(1, 1, 0);
    moves.e2b.faults.clear();
    await moves.kill();
    await moves.only(1, 0, 0);
    await moves.next(id, 3);
    await moves.remove(id);
  });

  it('takes messages meanwhile, which the agent gets where the session then is', async () => {
    const id = await moves.worked();
    await moves.begin(id, 'e2b');
    await moves.shop.send(id, [{ tool: 'Bash', input: { command: 'pwd; cat later.txt' } }, { text: 'done' }]);
    const state = await moves.at(id, 'e2b', 2);
    const tool = state.items.findLast(item => item.kind === 'tool');
    assert.match(tool?.output?.text ?? '', /\/sandpiper\/workspace\nlater$/);
    await moves.remove(id);
  });

  it('can be branched from a turn of the old place, and the branch works where the session is', async () => {
    const id = await moves.worked();
    await moves.begin(id, 'e2b');
    await moves.at(id, 'e2b');
    const { sessionId } = await moves.shop.client.call('checkpoint.branch', {
      sessionId: id,
      turn: 1,
      prompt: 'Go on',
    });
    const branch = await moves.rest(sessionId, 2);
    assert.deepEqual([branch.provider, branch.turns[1]?.agent?.outcome], ['e2b', 'completed']);
    await moves.shop.client.call('session.delete', { sessionId });
    await moves.remove(id);
  });

  it('is moved at the terminal, which waits until it is done', async () => {
    const id = await moves.worked();
    const cli = new Cli(moves.shop.dataFolder);
    const moved = await cli.run(['move', id.slice(-8), '--to', 'e2b']);
    assert.deepEqual([moved.code, moved.stdout], [0, 'moved to E2B\n'], moved.stderr);
    const again = await cli.run(['move', id, '--to', 'e2b']);
    assert.deepEqual([again.code, again.stdout], [1, '']);
    assert.match(again.stderr, /The session is on E2B already/);
    moves.daytona.quota = 0;
    const failed = await cli.run(['move', id, '--to', 'daytona']);
    moves.daytona.quota = 100;
    assert.deepEqual([failed.code, failed.stdout], [1, '']);
    assert.match(failed.stderr, /Not moved to Daytona/);
    await moves.remove(id);
  });
});
