import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { EventBody } from '../../protocol/events.ts';
import type { SessionState, SessionSummary } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { agentsOf, sandboxProcesses } from '../support/sandboxProcesses.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) =>
  state.phase.kind === 'idle' && state.turns.length === turns && !state.recovering;
const said = (state: SessionState) => state.items.flatMap(item => (item.kind === 'text' ? [item.text.text] : []));
const words = Array.from({ length: 200 }, (_, index) => `word${index}`).join(' ');
const SLOWLY = { text: words, deltas: 200, delayMs: 20 };

describe('an agent that gives no sign of life', function () {
  this.timeout(90_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop({ SANDPIPER_STUCK_SECONDS: '4', SANDPIPER_MODEL_SILENCE_SECONDS: '3' });
  });
  after(async () => {
    await shop.dispose();
  });

  const recover = (sessionId: string) => shop.client.call('session.retry', { sessionId });
  async function bodies<T extends EventBody['type']>(id: string, type: T): Promise<Extract<EventBody, { type: T }>[]> {
    const isOfType = (body: EventBody): body is Extract<EventBody, { type: T }> => body.type === type;
    return (await shop.events(id)).map(event => event.body).filter(isOfType);
  }
  async function signal(id: string, name: NodeJS.Signals): Promise<void> {
    const pids = await agentsOf(shop, id);
    assert.equal(pids.length, 1, 'one agent');
    pids.forEach(pid => process.kill(pid, name));
  }
  const runs = async (id: string, text: string) =>
    (await sandboxProcesses(shop, id)).some(({ command }) => command.startsWith(text));
  const writes = (id: string) =>
    eventually(async () => {
      const { live } = await shop.client.call('session.subscribe', { sessionId: id, afterSeq: 0 });
      assert.ok(live.some(item => item.text.length > 20));
    }, 30_000);

  it('that died under its turn is started again and goes on, once, and the log says why', async () => {
    const id = await shop.begin([SLOWLY, { text: 'never' }]);
    await writes(id);
    await signal(id, 'SIGKILL');
    const state = await shop.until(id, 'the turn goes on', idle(2), 40_000);
    assert.deepEqual(
      state.turns.map(turn => turn.agent?.outcome),
      ['failed', 'completed'],
    );
    assert.match(state.turns[0]?.agent?.failure?.message ?? '', /ended at \d\d:\d\d with exit code 137/);
    assert.deepEqual(said(state), [words], 'the answer came whole, once');
    assert.equal(state.agent.segment, 2);
    const [started, ...more] = await bodies(id, 'recoveryStarted');
    assert.deepEqual([started?.by, started?.attempt, more.length], ['relay', 1, 0]);
    assert.equal(state.recoveries, 0, 'a turn that ended well begins the count anew');
    assert.equal(state.items.filter(item => item.kind === 'message').length, 1);
  });

  it('that died while a tool ran waits for a person, and Recover goes on with the turn', async () => {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'if [ -e once ]; then echo twice; else touch once; sleep 300; fi' } },
      { text: 'after the tool' },
    ]);
    await shop.until(id, 'the tool runs', state => state.items.some(item => item.kind === 'tool'));
    await eventually(async () => assert.ok(await runs(id, 'sleep 300')));
    await signal(id, 'SIGKILL');
    const cut = await shop.until(id, 'it waits', idle(1), 30_000);
    assert.equal(cut.interrupted?.toolRan, true);
    const row = (await shop.client.call('session.list', {})).sessions.find(session => session.id === id);
    assert.deepEqual([row?.activity, row?.needsYou], ['Interrupted', 1]);
    assert.deepEqual(await recover(id), { recovering: true });
    assert.deepEqual(await recover(id), { recovering: false }, 'once');
    const state = await shop.until(id, 'the turn goes on', idle(2), 40_000);
    assert.deepEqual(said(state), ['after the tool']);
    assert.equal(state.interrupted, undefined);
  });

  it('that is paused is noticed, ended and resumed, and everybody reads the same words', async () => {
    const id = await shop.begin([SLOWLY]);
    await writes(id);
    const rows: SessionSummary[] = [];
    const listening = shop.client.onNotification('session.changed', ({ summary }) => {
      if (summary.id === id) {
        rows.push(summary);
      }
    });
    await signal(id, 'SIGSTOP');
    const state = await shop.until(id, 'it goes on', idle(2), 40_000);
    listening.dispose();
    const [stuck] = await bodies(id, 'stuckNoticed');
    assert.match(stuck?.cause ?? '', /silent for \d+ s: its process is paused/);
    assert.ok(rows.some(row => row.doing?.kind === 'stuck' && row.activity === 'Stuck'));
    assert.ok(rows.some(row => row.doing?.kind === 'recovering'));
    assert.deepEqual(said(state), [words]);
    assert.equal((await agentsOf(shop, id)).length, 1);
  });

  it('that is paused while a tool runs is noticed, and Recover is offered', async () => {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'if [ -e once ]; then echo twice; else touch once; sleep 300; fi' } },
      { text: 'after the tool' },
    ]);
    await eventually(async () => assert.ok(await runs(id, 'sleep 300')), 20_000);
    await signal(id, 'SIGSTOP');
    const stuck = await shop.until(id, 'it is stuck', state => state.stuck !== undefined, 30_000);
    assert.equal(stuck.recovering, undefined, 'what the tool did may be half done');
    assert.deepEqual(await recover(id), { recovering: true });
    const state = await shop.until(id, 'the turn goes on', idle(2), 40_000);
    assert.deepEqual(said(state), ['after the tool']);
    assert.equal(await runs(id, 'sleep 300'), false);
  });

  it('that moves again by itself is no longer stuck', async () => {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'touch begun; sleep 4' } },
      { text: 'after the tool' },
    ]);
    await eventually(async () => assert.ok(await runs(id, 'sleep 4')), 20_000);
    await signal(id, 'SIGSTOP');
    await shop.until(id, 'it is stuck', state => state.stuck !== undefined, 30_000);
    await signal(id, 'SIGCONT');
    const state = await shop.until(id, 'the turn ends', idle(1), 30_000);
    assert.deepEqual(said(state), ['after the tool']);
    assert.deepEqual(await bodies(id, 'recoveryStarted'), []);
  });

  it('whose model hangs asks it again, and the row says that it waits for the model', async () => {
    const rows: SessionSummary[] = [];
    const listening = shop.client.onNotification('session.changed', ({ summary }) => rows.push(summary));
    const id = await shop.begin([{ text: words, deltas: 50, stallMs: 60_000 }]);
    const state = await shop.until(id, 'the answer', idle(1), 40_000);
    listening.dispose();
    assert.ok(said(state).includes(words));
    assert.ok(rows.some(row => row.id === id && row.doing?.label === 'Waiting for the model'));
    assert.deepEqual(await bodies(id, 'stuckNoticed'), []);
  });

  it('is not taken for stuck while a tool works or waits in silence', async () => {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'python3 -c "while 1: pass" & sleep 5; kill $!' } },
      { tool: 'Bash', input: { command: 'for n in 1 2 3; do sleep 1.9; done' } },
      { text: 'done' },
    ]);
    const state = await shop.until(id, 'the turn', idle(1), 40_000);
    assert.deepEqual(said(state), ['done']);
    assert.deepEqual(await bodies(id, 'stuckNoticed'), []);
  });
});
