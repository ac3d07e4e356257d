import { setTimeout as sleep } from 'node:timers/promises';
import { median, type Measurement } from '../figure.ts';
import { openMemoryRelay } from '../support/memoryRelay.ts';
import { residentKb } from '../support/processMemory.ts';

/** Before the first measurement: what code and caches cost once must not count as a session's. */
const WARM_SESSIONS = 10;
const SESSIONS_A_ROUND = 3;
const SETTLE_MS = 1500;

/**
 * The relay's memory for each session more that it holds: a living agent after one turn, its journal followed, its model
 * socket open. One relay gets some more sessions every round; memory is read after a full collection. The value is the
 * median slope between all pairs of rounds (Theil and Sen), because single steps are ruled by the heap's page sizes.
 */
export const sessionMemory: Measurement = {
  figures: [{ name: 'relay-rss-per-extra-session-kb', unit: 'KB', aim: 100 }],
  needs: ['bubblewrap'],
  async take(bench) {
    const { relay, source } = await openMemoryRelay(bench);
    let sessions = 0;
    const grow = async (by: number): Promise<number> => {
      for (const end = sessions + by; sessions < end; sessions++) {
        await relay.createWarm(source);
      }
      await sleep(SETTLE_MS);
      process.kill(relay.pid, 'SIGUSR2');
      await sleep(SETTLE_MS);
      return residentKb(relay.pid);
    };
    const ours = [await grow(WARM_SESSIONS)];
    const counts = [sessions];
    for (let round = 1; round <= bench.rounds; round++) {
      ours.push(await grow(SESSIONS_A_ROUND));
      counts.push(sessions);
      bench.report(`round ${round}: ${((ours.at(-1) ?? 0) / 1024).toFixed(1)} MB with ${sessions} sessions`);
    }
    const slopes = counts.flatMap((count, later) =>
      counts.slice(0, later).map((before, earlier) => ((ours[later] ?? 0) - (ours[earlier] ?? 0)) / (count - before)),
    );
    return { 'relay-rss-per-extra-session-kb': { value: median(slopes), raw: { unit: 'KB', ours, sessions: counts } } };
  },
};
