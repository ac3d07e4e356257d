import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { activityText, describeActivity } from '../../protocol/activity.ts';
import type { SessionState } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { movableClock, type MovableClock } from '../support/movableClock.ts';
import { temporaryFolder } from '../support/relayProcess.ts';
import { agentsOf } from '../support/sandboxProcesses.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const HOURS_MS = 5 * 3_600_000;
const idle = (turns: number) => (state: SessionState) =>
  state.phase.kind === 'idle' && state.turns.length === turns && !state.recovering;

describe('a wall clock that is moved by hours', function () {
  this.timeout(90_000);
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let clock: MovableClock;
  let shop: Workshop;
  before(async () => {
    scratch = await temporaryFolder();
    clock = await movableClock(scratch.path);
    shop = await openWorkshop({ ...clock.env, SANDPIPER_STUCK_SECONDS: '3' });
  });
  after(async () => {
    await shop.dispose();
    await scratch.remove();
  });

  /** How many pieces of text came so far; the answer goes on when it grows. */
  async function writtenMore(id: string, than: number): Promise<number> {
    return eventually(async () => {
      const { live } = await shop.client.call('session.subscribe', { sessionId: id, afterSeq: 0 });
      const length = live.reduce((sum, item) => sum + item.text.length, 0);
      assert.ok(length > than);
      return length;
    });
  }

  it('neither invents a hang nor loses the order, and no time is negative', async () => {
    const words = Array.from({ length: 300 }, (_, index) => `word${index}`).join(' ');
    const id = await shop.begin([{ text: words, deltas: 300, delayMs: 25 }, { text: 'never' }]);
    let written = await writtenMore(id, 0);
    for (const offset of [HOURS_MS, -HOURS_MS, 0]) {
      await clock.move(offset);
      written = await writtenMore(id, written + 100);
      await shop.client.call('session.rename', { sessionId: id, title: `At ${offset}` });
      const state = await shop.client.call('session.get', { sessionId: id });
      assert.equal(activityText(describeActivity(state), Date.now() - 2 * HOURS_MS), 'Thinking 0 s');
    }
    await shop.until(id, 'the answer', idle(1), 40_000);
    const events = await shop.events(id);
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index + 1),
    );
    assert.ok(events.every(({ at }, index) => index === 0 || at >= (events[index - 1]?.at ?? 0)));
    assert.ok(
      events.some(({ at }) => at > Date.now() + HOURS_MS / 2),
      'the clock was moved',
    );
    assert.ok(!events.some(({ body }) => body.type === 'stuckNoticed' || body.type === 'recoveryStarted'));
    assert.ok(events.every(({ body }) => body.type !== 'agentFinished' || body.durationMs >= 0));
  });

  it('does not hide a hang either, and a recovery is not put off', async () => {
    const words = Array.from({ length: 200 }, (_, index) => `word${index}`).join(' ');
    const id = await shop.begin([{ text: words, deltas: 200, delayMs: 20 }]);
    await writtenMore(id, 0);
    (await agentsOf(shop, id)).forEach(pid => process.kill(pid, 'SIGSTOP'));
    await clock.move(-HOURS_MS);
    await shop.until(id, 'it goes on', idle(2), 40_000);
    const events = await shop.events(id);
    const stuck = events.find(({ body }) => body.type === 'stuckNoticed');
    assert.match(stuck?.body.type === 'stuckNoticed' ? stuck.body.cause : '', /silent for [3-9] s/);
    await clock.move(0);
  });
});
