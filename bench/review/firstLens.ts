import { runCommand } from '../../test/support/palette.ts';
import { lens, openChanges, openReviewStage } from '../../test/support/reviewStage.ts';
import { median, type Measurement } from '../figure.ts';

const FILES = 200;
const LINES = 100;
const DRAWN_MS = 60_000;

/**
 * From the press of Open Changes in the chat of the installed extension to the first Accept that can be seen, with 200
 * changed files. The first round is a cold one and counts like the others.
 */
export const firstLens: Measurement = {
  figures: [{ name: 'first-lens-200-files-ms', unit: 'ms', aim: 2000 }],
  needs: ['bubblewrap', 'vscodeServer', 'chromium', 'bundles'],
  async take(bench) {
    const review = await openReviewStage([
      `for i in $(seq ${FILES}); do seq ${LINES} > file$i.txt; done`,
      `sed -i -e 's/^7$/seven/' -e 's/^70$/seventy/' file*.txt`,
    ]);
    bench.defer(() => review.stage.dispose());
    review.page.setDefaultTimeout(DRAWN_MS);
    const ours: number[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      const startedAt = performance.now();
      await openChanges(review);
      await lens(review.page, 'Accept').first().waitFor({ timeout: DRAWN_MS });
      ours.push(performance.now() - startedAt);
      bench.report(`round ${round + 1}: ${(ours.at(-1) ?? 0).toFixed(0)} ms`);
      await runCommand(review.page, 'View: Close All Editors');
      await lens(review.page, 'Accept').first().waitFor({ state: 'detached' });
    }
    return { 'first-lens-200-files-ms': { value: median(ours), raw: { unit: 'ms', ours } } };
  },
};
