import { join } from 'node:path';
import { median, type Measurement } from '../figure.ts';
import { LARGE_REPOSITORY_FILES } from '../support/largeRepository.ts';
import { ONE_WORD, openLargeRelay, timeStart } from '../support/largeStart.ts';
import { untilSpare } from '../support/untilSpare.ts';

const AT_ONCE = 50;

/** From the call to a running agent on this machine, in a repository of more than 20 000 files whose mirror is there. */
export const localStart: Measurement = {
  figures: [{ name: 'local-start-20k-files-ms', unit: 'ms', aim: 300 }],
  needs: ['bubblewrap'],
  async take(bench) {
    const { source, relay } = await openLargeRelay(bench);
    const ours: number[] = [];
    // The first one makes the mirror and is not counted.
    for (let round = 0; round <= bench.rounds; round++) {
      const startMs = await timeStart(relay, source);
      if (round > 0) {
        ours.push(startMs);
        bench.report(`round ${round}: ${ours.at(-1)?.toFixed(0)} ms`);
      }
    }
    const raw = { unit: 'ms', ours, files: LARGE_REPOSITORY_FILES };
    return { 'local-start-20k-files-ms': { value: median(ours), raw } };
  },
};

/** As `localStart`, where a sandbox with a clone waits for the session, as it does after the first one of a repository. */
export const warmStart: Measurement = {
  figures: [{ name: 'warm-start-ms', unit: 'ms', aim: 150 }],
  needs: ['bubblewrap'],
  async take(bench) {
    const { source, relay } = await openLargeRelay(bench, { SANDPIPER_SPARE_SANDBOXES: '1' });
    await timeStart(relay, source);
    const ours: number[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      await relay.call('repository.warm', { source });
      await untilSpare(join(bench.folder, 'data', 'sandboxes'));
      ours.push(await timeStart(relay, source));
      bench.report(`round ${round}: ${ours.at(-1)?.toFixed(0)} ms`);
    }
    return { 'warm-start-ms': { value: median(ours), raw: { unit: 'ms', ours, files: LARGE_REPOSITORY_FILES } } };
  },
};

/** How many of fifty sessions that are started at the same moment do not come to the end of their first turn. */
export const localAtOnce: Measurement = {
  figures: [{ name: 'local-50-at-once-failures', unit: 'sessions', aim: 0 }],
  needs: ['bubblewrap'],
  async take(bench) {
    const { source, relay } = await openLargeRelay(bench);
    const startedAt = performance.now();
    const ended = await Promise.allSettled(
      Array.from({ length: AT_ONCE }, async () => {
        const sessionId = await relay.create({ source, prompt: ONE_WORD });
        await relay.until(sessionId, state => state.turns[0]?.checkpoint !== undefined);
      }),
    );
    const failures = ended.filter(({ status }) => status === 'rejected');
    failures.slice(0, 3).forEach(failure => bench.report(JSON.stringify(failure).slice(0, 300)));
    const allMs = performance.now() - startedAt;
    bench.report(`${AT_ONCE - failures.length} of ${AT_ONCE} in ${allMs.toFixed(0)} ms`);
    return { 'local-50-at-once-failures': { value: failures.length, raw: { sessions: AT_ONCE, allMs } } };
  },
};
