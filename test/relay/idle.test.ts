import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { agentProcesses } from '../support/agentProcesses.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const IDLE_MS = 1200;

describe('a session that is idle for long', function () {
  this.timeout(90_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop({ SANDPIPER_IDLE_MINUTES: String(IDLE_MS / 60_000), SANDPIPER_LOG: 'debug' });
  });
  after(async () => {
    await shop.dispose();
  });

  const leftMemory = (id: string, times: number) =>
    eventually(() => {
      const lines = shop.relay.log.split('\n').filter(line => line.includes('left memory') && line.includes(id));
      assert.equal(lines.length, times);
    }, 20_000);

  it('lets its agent go, and the next message resumes the conversation', async () => {
    const id = await shop.begin([{ text: 'one' }]);
    await shop.until(id, 'one turn', idle(1));
    const ended = await shop.until(id, 'no agent', state => !state.agent.running);
    assert.ok(ended.items.every(item => item.kind !== 'notice' || item.level === 'info'));
    await eventually(async () => assert.deepEqual(await agentProcesses(shop, id), []));
    const end = (await shop.events(id)).findLast(({ body }) => body.type === 'agentEnded')?.body;
    assert.deepEqual(end?.type === 'agentEnded' && [end.exitCode, end.expected], [0, true]);
    await shop.send(id, [{ text: 'two' }]);
    const state = await shop.until(id, 'two turns', idle(2), 30_000);
    assert.equal(state.agent.segment, 2);
    assert.equal(state.turns[1]?.agent?.outcome, 'completed');
  });

  it('keeps its agent while this does something in the background', async () => {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: `sleep ${(IDLE_MS * 3) / 1000}`, run_in_background: true } },
      { text: 'started' },
      { text: 'It is done.' },
    ]);
    const state = await shop.until(id, 'the turn after it', idle(2), 30_000);
    assert.equal(state.agent.segment, 1);
    assert.equal((await shop.events(id)).filter(({ body }) => body.type === 'agentStarted').length, 1);
  });

  it('leaves memory, and comes back whole', async () => {
    const id = await shop.begin([{ text: 'one' }]);
    const before = await shop.until(id, 'no agent', state => idle(1)(state) && !state.agent.running, 30_000);
    await leftMemory(id, 1);
    assert.deepEqual(await shop.client.call('session.get', { sessionId: id }), before);
    await leftMemory(id, 2);
    await shop.send(id, [{ text: 'two' }]);
    const state = await shop.until(id, 'two turns', idle(2), 30_000);
    const events = await shop.events(id);
    assert.deepEqual(
      events.map(event => event.seq),
      events.map((_, index) => index + 1),
    );
    assert.equal(state.turns[1]?.agent?.outcome, 'completed');
  });
});
