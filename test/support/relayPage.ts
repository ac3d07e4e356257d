import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { findRelay } from '../../client/localRelay.ts';
import { isRecord } from '../../protocol/isRecord.ts';
import { patient } from './patience.ts';

/** The page that a real relay serves, in a browser. */
export interface RelayPage {
  page: Page;
  /** Errors, and refusals of the page's policy. */
  problems: string[];
  /** Keeps what the relay tells by itself from the page until it is let go; answers come through. */
  hold: () => void;
  letGo: () => void;
  close: () => Promise<void>;
}

/** Opens the page with a fresh ticket. */
export async function openRelayPage(
  browser: Browser,
  dataFolder: string,
  options: BrowserContextOptions,
): Promise<RelayPage> {
  const found = await findRelay(dataFolder);
  if (!found) {
    throw new Error('There is no relay.');
  }
  const response = await fetch(`${found.url}/v1/tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${found.token}` },
  });
  const body: unknown = await response.json();
  const ticket = isRecord(body) ? String(body['ticket']) : '';
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(patient(30_000));
    const problems: string[] = [];
    let held: (() => void)[] | undefined;
    page.on('pageerror', error => problems.push(error.message));
    page.on('console', message => message.type() === 'error' && problems.push(message.text()));
    await page.routeWebSocket('**/v1/ws', socket => {
      const relay = socket.connectToServer();
      relay.onMessage(message => {
        if (held && !String(message).includes('"id":')) {
          held.push(() => socket.send(message));
        } else {
          socket.send(message);
        }
      });
    });
    await page.goto(`${found.url}/#ticket=${ticket}`);
    await page.getByRole('navigation', { name: 'Sessions' }).waitFor();
    const letGo = (): void => {
      const waiting = held ?? [];
      held = undefined;
      waiting.forEach(send => send());
    };
    return {
      page,
      problems,
      hold: () => {
        held ??= [];
      },
      letGo,
      close: () => context.close(),
    };
  } catch (thrown) {
    await context.close();
    throw thrown;
  }
}
