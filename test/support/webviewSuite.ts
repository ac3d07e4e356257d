import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { launchChromium } from './chromium.ts';
import type { SessionLog } from './sessionLog.ts';
import { serveWebview, type WebviewServer } from './webviewBundle.ts';
import { openWebviewPage, type WebviewPage, type WebviewPageOptions } from './webviewPage.ts';

/** One Chromium and the served bundle for all tests of the suite that this is called in. */
export function useWebview(language?: Parameters<typeof serveWebview>[0]): {
  browser: () => Browser;
  server: () => WebviewServer;
} {
  let browser: Browser | undefined;
  let server: WebviewServer | undefined;
  before(async () => {
    [browser, server] = await Promise.all([launchChromium(), serveWebview(language)]);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });
  return { browser: () => started(browser), server: () => started(server) };
}

/** Chat pages for the tests of this suite. Each is closed after its test, and must have had no problem by then. */
export function useChatPages(language?: Parameters<typeof serveWebview>[0]) {
  const { browser, server } = useWebview(language);
  const open: WebviewPage[] = [];
  afterEach(async () => {
    for (const chat of open.splice(0)) {
      assert.deepEqual(chat.problems, []);
      await chat.close();
    }
  });
  const openChat = async (options: WebviewPageOptions = {}): Promise<WebviewPage> => {
    const chat = await openWebviewPage(browser(), server().url, options);
    open.push(chat);
    await chat.tell({ type: 'connection', state: 'connected' });
    return chat;
  };
  const openSession = async (log: SessionLog, options: WebviewPageOptions = {}): Promise<WebviewPage> => {
    const chat = await openChat(options);
    await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
    await chat.page.locator('.composer textarea').waitFor();
    return chat;
  };
  return { openChat, openSession };
}

function started<T>(thing: T | undefined): T {
  if (thing === undefined) {
    throw new Error('The page is there from `before` on.');
  }
  return thing;
}
