import { type Browser, chromium } from 'playwright-core';
import { findChromium } from '../../scripts/setup/chromium.ts';

/** Starts a headless Chromium: the machine's, or the one that setup unpacked. Close it with `close()`. */
export function launchChromium(): Promise<Browser> {
  const found = findChromium();
  if (!found) {
    throw new Error('There is no Chromium: run `npm run setup`.');
  }
  return chromium.launch({
    executablePath: found.program,
    env: { ...process.env, ...found.env },
    args: [
      // Its own sandbox needs a user namespace, which containers and root do not have; it opens our pages only.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
    ],
  });
}
