import { setTimeout as sleep } from 'node:timers/promises';
import { median, type Measurement } from '../figure.ts';
import { openMemoryRelay } from '../support/memoryRelay.ts';
import { residentKb } from '../support/processMemory.ts';

/** What code, caches and the allocator's arenas cost once: they are full after about so many sessions of the same kind. */
const WARM_SESSIONS = 24;
const SESSIONS_A_ROUND = 6;
const AT_ONCE = 3;
/** Sessions leave the relay's memory after so long without work, a thousandth of the usual time. */
const IDLE_MINUTES = 0.03;
const SETTLE_MS = 5000;
const READINGS = 3;

const HOW =
  'The built relay, real agents on a scripted model. Each session: a turn of ten tools, a turn of 200 pieces of text, all ' +
  'changes listed and accepted, archived; idle sessions leave memory. After a warm-up of the same kind resident memory is ' +
  `read ${READINGS} times, each after a full collection, before and after the measured sessions.`;

/** How much the relay's resident memory has grown after many sessions have come and gone, in percent of what it was. */
export const soak: Measurement = {
  figures: [{ name: 'rss-growth-percent', unit: '%', aim: 3 }],
  needs: ['bubblewrap'],
  async take(bench) {
    const { relay, source } = await openMemoryRelay(bench, { SANDPIPER_IDLE_MINUTES: String(IDLE_MINUTES) });
    const one = async (): Promise<void> => {
      const sessionId = await relay.createWarm(source);
      await relay.turn(sessionId, 'SCN:tools:10:0:tools');
      await relay.turn(sessionId, 'SCN:deltas:200:1:text');
      const { toCommit } = await relay.call('changes.list', { sessionId });
      await relay.call('changes.acceptAll', { sessionId, expectedProposed: toCommit });
      await relay.archive(sessionId);
    };
    const work = async (sessions: number): Promise<number> => {
      for (let done = 0; done < sessions; done += AT_ONCE) {
        await Promise.all(Array.from({ length: Math.min(AT_ONCE, sessions - done) }, one));
      }
      const readings: number[] = [];
      for (let reading = 0; reading < READINGS; reading++) {
        process.kill(relay.pid, 'SIGUSR2');
        await sleep(SETTLE_MS);
        readings.push(await residentKb(relay.pid));
      }
      return median(readings);
    };
    const ours = [await work(WARM_SESSIONS)];
    for (let round = 1; round <= bench.rounds; round++) {
      ours.push(await work(SESSIONS_A_ROUND));
      bench.report(`round ${round}: ${((ours.at(-1) ?? 0) / 1024).toFixed(1)} MB`);
    }
    const [before = Number.NaN, after = Number.NaN] = [ours[0], ours.at(-1)];
    return {
      'rss-growth-percent': {
        value: ((after - before) / before) * 100,
        raw: { unit: 'KB', ours, sessionsARound: SESSIONS_A_ROUND, warmSessions: WARM_SESSIONS, how: HOW },
      },
    };
  },
};
