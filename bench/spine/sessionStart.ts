import { join } from 'node:path';
import { runOrThrow } from '../../scripts/setup/command.ts';
import { medianRatio, type Measurement } from '../figure.ts';
import { LARGE_REPOSITORY_FILES } from '../support/largeRepository.ts';
import { openLargeRelay, timeStart } from '../support/largeStart.ts';

/**
 * From the call to a running agent, against nothing but a clone of the same repository that borrows its objects. The mirror
 * is there from a first session, which `raw.firstMs` has; every session of a repository but one begins like this.
 */
export const sessionStart: Measurement = {
  figures: [{ name: 'session-start-over-shared-clone', unit: 'ratio', aim: 1.3 }],
  needs: ['bubblewrap'],
  async take(bench) {
    const { source, relay } = await openLargeRelay(bench);
    const firstMs = await timeStart(relay, source);
    bench.report(`first session, which makes the mirror: ${firstMs.toFixed(0)} ms`);
    const ours: number[] = [];
    const floor: number[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      ours.push(await timeStart(relay, source));
      // It stays to the end, as the sandboxes do: the next one would be made where this one's files were, which is faster.
      const clone = join(bench.folder, `clone${round}`);
      const startedAt = performance.now();
      await runOrThrow('git', ['clone', '--quiet', '--shared', source, clone], { timeoutMs: 300_000 });
      floor.push(performance.now() - startedAt);
      bench.report(`round ${round}: ${ours.at(-1)?.toFixed(0)} against ${floor.at(-1)?.toFixed(0)} ms`);
    }
    const raw = { unit: 'ms', ours, floor, firstMs, files: LARGE_REPOSITORY_FILES };
    return { 'session-start-over-shared-clone': { value: medianRatio(ours, floor), raw } };
  },
};
