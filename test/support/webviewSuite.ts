import type { Browser } from 'playwright-core';
import { launchChromium } from './chromium.ts';
import { serveWebview, type WebviewServer } from './webviewBundle.ts';

/** One Chromium and the served bundle for all tests of the suite that this is called in. */
export function useWebview(): { browser: () => Browser; server: () => WebviewServer } {
  let browser: Browser | undefined;
  let server: WebviewServer | undefined;
  before(async () => {
    [browser, server] = await Promise.all([launchChromium(), serveWebview()]);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });
  return { browser: () => started(browser), server: () => started(server) };
}

function started<T>(thing: T | undefined): T {
  if (thing === undefined) {
    throw new Error('The page is there from `before` on.');
  }
  return thing;
}
