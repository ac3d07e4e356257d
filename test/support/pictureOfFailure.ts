import type { Page } from 'playwright-core';
import { screenshot } from './workbench.ts';

/** Keeps a picture of the window of every test that failed, under test-results/. Call it inside a `describe`. */
export function pictureOfFailure(page: () => Page | undefined): void {
  afterEach(async function () {
    const { currentTest } = this;
    const shown = page();
    if (currentTest?.state === 'failed' && shown && !shown.isClosed()) {
      await screenshot(shown, `failed-${currentTest.fullTitle().replaceAll(/\W+/g, '-').slice(0, 100)}`);
    }
  });
}
