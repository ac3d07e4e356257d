import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runOrThrow } from '../../scripts/setup/command.ts';
import { median, medianRatio, type Measurement } from '../figure.ts';
import { openReviewBench, someLines } from './reviewBench.ts';

const PATH = 'packages/p7/src/review.ts';
const LINES = 400;

/**
 * From the call to its answer, one hunk of one file is accepted in a repository of 21,000 files: objects, refs, counts and
 * the event, each of them lasting. The floor is `git apply --cached` of the same hunk in a clone of that repository.
 */
export const acceptHunk: Measurement = {
  figures: [
    { name: 'accept-ms', unit: 'ms', aim: 100 },
    { name: 'accept-over-git-apply', unit: 'times', aim: 3 },
  ],
  needs: ['bubblewrap'],
  async take(bench) {
    const review = await openReviewBench(bench);
    await review.propose(PATH, someLines(LINES, 0));
    await review.accept(PATH, undefined, await review.list());
    // Twice as many as rounds, so that there is always another hunk.
    await review.propose(PATH, someLines(LINES, Math.floor(LINES / (bench.rounds * 2 + 2))));
    const git = ['-C', review.source];
    await writeFile(join(review.source, PATH), `${someLines(LINES, 0).join('\n')}\n`);
    await runOrThrow('git', [...git, 'add', PATH]);
    const patch = join(bench.folder, 'one.patch');
    const ours: number[] = [];
    const floor: number[] = [];
    // The first of both fills caches.
    for (let round = 0; round <= bench.rounds; round++) {
      const seen = await review.list();
      const hunk = seen.files.find(({ path }) => path === PATH)?.hunks[0];
      if (!hunk) {
        throw new Error('There is no hunk left to accept.');
      }
      const startedAt = performance.now();
      await review.accept(PATH, [hunk.id], seen);
      ours.push(performance.now() - startedAt);
      await writeFile(patch, onePatch(round * 10 + 5));
      const appliedAt = performance.now();
      await runOrThrow('git', [...git, 'apply', '--cached', '--unidiff-zero', patch]);
      floor.push(performance.now() - appliedAt);
    }
    const [kept, keptFloor] = [ours.slice(1), floor.slice(1)];
    bench.report(`accepted in ${median(kept).toFixed(1)} ms, git apply in ${median(keptFloor).toFixed(1)} ms`);
    const raw = { unit: 'ms', ours: kept, floor: keptFloor };
    return {
      'accept-ms': { value: median(kept), raw },
      'accept-over-git-apply': { value: medianRatio(kept, keptFloor), raw },
    };
  },
};

function onePatch(line: number): string {
  return `--- a/${PATH}\n+++ b/${PATH}\n@@ -${line + 1} +${line + 1} @@\n-line ${line}\n+line ${line} changed\n`;
}
