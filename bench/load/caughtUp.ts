import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { preciseNow } from '../../test/support/modelReply.ts';
import { median, type Measurement } from '../figure.ts';
import { LoadRelay } from './loadRelay.ts';

const STORED_SESSIONS = 1000;
const EVENTS_PER_SECOND = 200;
const WORK_MS = 4000;
const KILL_AFTER_MS = 1500;
const REACH_TIMEOUT_MS = 20_000;
const FIRST_EVENTS = 7;

/**
 * From kill -9 of the relay until a client has all of an agent's events that were written before the new relay answered: the
 * relay is started again at once, the agent works on, and 999 other sessions are in the store. Finding the relay, connecting
 * anew, subscribing and replaying are part of it. The floor is Node that starts and does nothing.
 */
export const caughtUp: Measurement = {
  figures: [{ name: 'caught-up-after-kill-ms', unit: 'ms', aim: 250 }],
  needs: [],
  async take(bench) {
    const relay = await LoadRelay.make(bench, 'data', { metered: false });
    await relay.add(STORED_SESSIONS - 1, false);
    await relay.add(1);
    const { agents, followers, sessionIds, journals } = relay;
    const [sessionId = ''] = sessionIds;
    await relay.start();
    const ours: number[] = [];
    const floor: number[] = [];
    const stages: { goneMs: number; foundMs: number; followedMs: number }[] = [];
    let before = FIRST_EVENTS;
    for (let round = 1; round <= bench.rounds; round++) {
      await followers.ask('follow', { ...(await relay.address()), sessionIds, sockets: 1, afterSeq: before });
      const working = agents.ask('work', { journals, perSecond: EVENTS_PER_SECOND, ms: WORK_MS });
      await new Promise(resolve => setTimeout(resolve, KILL_AFTER_MS));
      const killedAt = preciseNow();
      await relay.kill();
      const goneMs = preciseNow() - killedAt;
      await followers.ask('leave', undefined);
      const address = await relay.startForClients();
      const foundMs = preciseNow() - killedAt;
      await followers.ask('follow', { ...address, sessionIds, sockets: 1, afterSeq: before });
      const followedMs = preciseNow() - killedAt;
      // More than can have been written when the relay was killed: it was written after that, and came through the new relay.
      const missed = before + Math.ceil((KILL_AFTER_MS / 1000) * EVENTS_PER_SECOND) + 1;
      const at = await followers.ask('reach', { seqs: { [sessionId]: missed }, timeoutMs: REACH_TIMEOUT_MS });
      ours.push(at - killedAt);
      const [written = 0] = await working;
      before = FIRST_EVENTS + written;
      await followers.ask('reach', { seqs: { [sessionId]: before }, timeoutMs: REACH_TIMEOUT_MS });
      await followers.ask('leave', undefined);
      floor.push(await startNode());
      stages.push({ goneMs, foundMs, followedMs });
      bench.report(
        `round ${round}: gone after ${goneMs.toFixed(0)} ms, found after ${foundMs.toFixed(0)} ms, followed after ${followedMs.toFixed(0)} ms, caught up after ` +
          `${ours.at(-1)?.toFixed(0)} ms; Node alone ${floor.at(-1)?.toFixed(0)} ms`,
      );
    }
    return { 'caught-up-after-kill-ms': { value: median(ours), raw: { unit: 'ms', ours, floor, stages } } };
  },
};

async function startNode(): Promise<number> {
  const startedAt = performance.now();
  await once(spawn(process.execPath, ['--eval', '0'], { stdio: 'ignore' }), 'exit');
  return performance.now() - startedAt;
}
