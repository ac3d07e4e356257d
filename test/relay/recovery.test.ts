import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import type { SessionState, ToolItem } from '../../protocol/session.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

describe('a relay that is killed', () => {
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  async function killAndRestart(): Promise<void> {
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
  }

  it('goes on with the same agent in the middle of a turn: no lost event, none twice', async function () {
    this.timeout(60_000);
    const words = Array.from({ length: 400 }, (_, index) => `word${index}`).join(' ');
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'echo begun > begun.txt; sleep 1; echo $$ ' } },
      { text: words, deltas: 400, delayMs: 5, tool: 'Bash', input: { command: 'echo ended > ended.txt' } },
      { text: 'The end.' },
    ]);
    await shop.until(id, 'the turn runs', state => state.phase.kind === 'working');
    for (let kills = 0; kills < 4; kills++) {
      await sleep(300);
      await killAndRestart();
    }
    const state = await shop.until(id, 'one turn', idle(1), 40_000);
    assert.equal(state.turns[0]?.agent?.outcome, 'completed');
    assert.equal(state.agent.segment, 1, 'the agent was never started again');
    assert.ok(state.items.some(item => item.kind === 'text' && item.text.text === words));
    const events = await shop.events(id);
    assert.deepEqual(
      events.map(event => event.seq),
      events.map((_, index) => index + 1),
    );
    const seen = events.map(event => JSON.stringify(event.body));
    assert.equal(new Set(seen).size, seen.length, 'no event came twice');
    assert.equal(
      (await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: 'ended.txt' })).content,
      'ended\n',
    );
  });

  it('keeps a question, and the answer reaches the agent', async function () {
    this.timeout(60_000);
    const id = await shop.begin([{ tool: 'Bash', input: { command: 'touch later.txt' } }, { text: 'ok' }], {
      permissionMode: 'ask',
    });
    const waiting = await shop.until(id, 'a question', state => state.approvals.length === 1);
    await killAndRestart();
    await shop.client.call('session.answer', {
      sessionId: id,
      approvalId: waiting.approvals[0]?.id ?? '',
      decision: { kind: 'allow' },
    });
    const state = await shop.until(id, 'one turn', idle(1));
    const tool = state.items.find((item): item is ToolItem => item.kind === 'tool');
    assert.equal(tool?.state, 'ok');
  });

  it('says honestly that an agent died while it was away, and the conversation can go on', async function () {
    this.timeout(60_000);
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'echo kept > kept.txt; kill -9 $PPID; sleep 60' } },
      { text: 'never' },
    ]);
    const state = await shop.until(id, 'the turn ended', idle(1), 30_000);
    assert.equal(state.turns[0]?.agent?.outcome, 'failed');
    assert.match(state.turns[0].agent.failure?.message ?? '', /exit code 137/);
    assert.equal(
      (await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: 'kept.txt' })).content,
      'kept\n',
    );
    await shop.send(id, [{ text: 'I am back.' }]);
    const next = await shop.until(id, 'a second turn', idle(2), 30_000);
    assert.equal(next.turns[1]?.agent?.outcome, 'completed');
    assert.equal(next.agent.segment, 2);
  });
});
