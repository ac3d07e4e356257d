import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, type Measurement } from '../figure.ts';
import { residentKb } from '../support/processMemory.ts';
import { openReviewBench, someLines } from './reviewBench.ts';

const LARGE = 'packages/p3/src/large.ts';
const SMALL = 'packages/p5/src/small.ts';
const HUNKS = 5000;
const LINES_A_HUNK = 4;
const WARM_DECISIONS = 100;
const DECISIONS = 500;
const SETTLE_MS = 1500;

/** From the save of a file with 5,000 changes to the list of its hunks, and the memory of a relay in which 500 decisions were taken, after a full collection. */
export const manyDecisions: Measurement = {
  figures: [
    { name: 'diff-5000-hunks-ms', unit: 'ms', aim: 1000 },
    { name: 'rss-growth-500-decisions-percent', unit: '%', aim: 5 },
  ],
  needs: ['bubblewrap'],
  async take(bench) {
    const collector = join(import.meta.dirname, '../support/collectGarbage.mjs');
    const review = await openReviewBench(bench, ['--expose-gc', '--import', collector]);
    await review.propose(LARGE, someLines(HUNKS * LINES_A_HUNK, 0));
    await review.accept(LARGE, undefined, await review.list());
    const listed: number[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      const startedAt = performance.now();
      // Each round another text: what was compared once is not compared again.
      await review.propose(LARGE, someLines(HUNKS * LINES_A_HUNK, LINES_A_HUNK, ` changed in round ${round}`));
      const { files } = await review.list();
      listed.push(performance.now() - startedAt);
      if (files.find(({ path }) => path === LARGE)?.hunks.length !== HUNKS) {
        throw new Error(`The list has not ${HUNKS} hunks.`);
      }
    }
    await review.accept(LARGE, undefined, await review.list());

    let decided = 0;
    const decide = async (count: number): Promise<number> => {
      for (const end = decided + count; decided < end; decided++) {
        await review.propose(SMALL, [`decision ${decided}`]);
        await review.accept(SMALL, undefined, await review.list());
      }
      await sleep(SETTLE_MS);
      process.kill(review.relay.pid, 'SIGUSR2');
      await sleep(SETTLE_MS);
      return residentKb(review.relay.pid);
    };
    // Each round of the loop is two decisions: the edit and its acceptance.
    const before = await decide(WARM_DECISIONS / 2);
    const after = await decide(DECISIONS / 2);
    bench.report(`${before} KB before and ${after} KB after ${DECISIONS} decisions`);
    return {
      'diff-5000-hunks-ms': { value: median(listed), raw: { unit: 'ms', ours: listed } },
      'rss-growth-500-decisions-percent': {
        value: ((after - before) / before) * 100,
        raw: { unit: 'KB', before, after, decisions: DECISIONS },
      },
    };
  },
};
