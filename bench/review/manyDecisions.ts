import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { median, type Measurement } from '../figure.ts';
import { residentKb } from '../support/processMemory.ts';
import { openReviewBench, someLines } from './reviewBench.ts';

const LARGE = 'packages/p3/src/large.ts';
const SMALL = 'packages/p5/src/small.ts';
const HUNKS = 5000;
const LINES_A_HUNK = 4;
const DECISIONS = 500;
const ROUNDS_A_READING = 2;
const SETTLE_MS = 1500;
const HOW =
  'Resident memory after a full collection, read first after a warm-up of 500 decisions: until then the allocators take what ' +
  'work of this kind needs at once and keep it. From there the growth for each further 500. `heldKb` is what objects and ' +
  'buffers take, in which a leak would show.';
const meterSchema = z.object({ heldKb: z.number() });

/** From the save of a file with 5,000 changes to the list of its hunks, and how a relay's memory grows by 500 decisions. */
export const manyDecisions: Measurement = {
  figures: [
    { name: 'diff-5000-hunks-ms', unit: 'ms', aim: 1000 },
    { name: 'rss-growth-500-decisions-percent', unit: '%', aim: 5 },
  ],
  needs: ['bubblewrap'],
  async take(bench) {
    const meterFile = join(bench.folder, 'meter');
    const meter = join(import.meta.dirname, '../support/relayMeter.mjs');
    const review = await openReviewBench(bench, {
      nodeOptions: ['--expose-gc', '--import', meter],
      env: { SANDPIPER_BENCH_METER: meterFile },
    });
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
    // Each round of the loop is two decisions: the edit and its acceptance.
    const decide = async (): Promise<{ rssKb: number; heldKb: number }> => {
      for (const end = decided + DECISIONS / 2; decided < end; decided++) {
        await review.propose(SMALL, [`decision ${decided}`]);
        await review.accept(SMALL, undefined, await review.list());
      }
      await sleep(SETTLE_MS);
      await rm(meterFile, { force: true });
      process.kill(review.relay.pid, 'SIGUSR2');
      await sleep(SETTLE_MS);
      const { heldKb } = meterSchema.parse(JSON.parse(await readFile(meterFile, 'utf8')));
      const reading = { rssKb: await residentKb(review.relay.pid), heldKb };
      bench.report(`${decided * 2} decisions: ${reading.rssKb} KB resident, ${heldKb.toFixed(0)} KB held`);
      return reading;
    };
    const readings = [await decide()];
    for (let done = 0; done < bench.rounds; done += ROUNDS_A_READING) {
      readings.push(await decide());
    }
    const [first, last] = [readings[0], readings.at(-1)];
    const growth = (kind: 'rssKb' | 'heldKb'): number =>
      first && last ? (((last[kind] - first[kind]) / first[kind]) * 100) / (readings.length - 1) : Number.NaN;
    return {
      'diff-5000-hunks-ms': { value: median(listed), raw: { unit: 'ms', ours: listed } },
      'rss-growth-500-decisions-percent': {
        value: growth('rssKb'),
        raw: { unit: 'KB', how: HOW, readings, decisionsAReading: DECISIONS, heldGrowthPercent: growth('heldKb') },
      },
    };
  },
};
