import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, FrameLocator, Locator, Page } from 'playwright-core';
import type { CodeServer } from './codeServer.ts';
import { toError } from '../../protocol/errors.ts';
import { eventually } from './eventually.ts';
import { patient } from './patience.ts';

/*
 * What a person sees and presses in a VS Code window: views, trees, notifications, webviews. The locators go through
 * roles and labels where the workbench has them, so they also hold for a screen reader.
 */

/**
 * The address of a window on a folder or a workspace file, or of one without; `payload` is what a desktop VS Code takes as arguments.
 */
export function windowUrl(
  server: Pick<CodeServer, 'authority'>,
  folder: string | undefined,
  payload: readonly [string, string][] = [],
): string {
  const query = new URLSearchParams({
    ...(folder === undefined
      ? { ew: 'true' }
      : { [folder.endsWith('.code-workspace') ? 'workspace' : 'folder']: folder }),
    payload: JSON.stringify(payload),
  });
  return `http://${server.authority}/?${query}`;
}

/** Opens a window on a folder and waits until it can be used. `onMessage` gets what its developer console prints. */
export async function openWindow(
  browser: Browser,
  server: CodeServer,
  folder: string | undefined,
  onMessage?: (line: string) => void,
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1500, height: 950 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(patient(30_000));
  const page = await context.newPage();
  page.on('console', message => onMessage?.(message.text()));
  page.on('pageerror', error => onMessage?.(String(error)));
  await page.goto(windowUrl(server, folder));
  await page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: patient(60_000) });
  return page;
}

export function notification(page: Page, text: string): Locator {
  return page.locator('.notification-toast').filter({ hasText: text });
}

export function treeItem(page: Page, name: string | RegExp): Locator {
  return page.getByRole('treeitem', { name });
}

/**
 * Presses a button that a row shows under the pointer, until it took the press: a row that moves away from it has none, and
 * one that is drawn anew between the two halves of a press does not take it.
 * @param took throws as long as nothing came of it
 */
export async function pressInRow(row: Locator, name: string | RegExp, took: () => void | Promise<void>): Promise<void> {
  const press = async (): Promise<void> => {
    await row.hover({ timeout: 2000 });
    await row.getByRole('button', { name, exact: true }).click({ timeout: 2000 });
  };
  await eventually(async () => {
    // One that was taken late leaves no button for the next: what came of it is what counts.
    const problem = await press().then(() => undefined, toError);
    await eventually(took, 3000).catch((error: unknown) => {
      throw problem ?? error;
    });
  }, 45_000);
}

/**
 * Chooses an entry of the menu of a row. A menu takes no press in the first 50 ms, so the entry is pressed until it is gone;
 * one that is gone can also be a menu that was closed because the list was drawn anew, so what came of it is what counts.
 * @param took throws as long as nothing came of it; after 10 s it is chosen again
 */
export async function chooseInMenu(page: Page, row: Locator, name: string, took: () => unknown): Promise<void> {
  await eventually(async () => {
    await page.keyboard.press('Escape');
    await row.click({ button: 'right', timeout: 2000 });
    const entry = page.getByRole('menuitem', { name });
    await entry.waitFor({ timeout: 2000 });
    let isOpen = true;
    while (isOpen) {
      // A press on one that goes in that moment fails; whether it went is looked at below.
      await entry.click({ timeout: 2000 }).catch(() => undefined);
      isOpen = await entry.waitFor({ state: 'hidden', timeout: 500 }).then(
        () => false,
        () => true,
      );
    }
    await eventually(took, 10_000);
  }, 45_000);
}

/** The status bar item whose accessible label contains the text. */
export function statusItem(page: Page, text: string | RegExp): Locator {
  return page.locator('.part.statusbar').getByRole('button', { name: text });
}

/** The content of the webview whose document has this title; every webview of ours sets one. */
export async function webview(page: Page, title: string): Promise<FrameLocator> {
  return eventually(async () => {
    const outer = page.locator('iframe.webview.ready');
    for (let index = 0; index < (await outer.count()); index++) {
      const inner = outer.nth(index).contentFrame().locator('#active-frame').contentFrame();
      if ((await inner.locator('title').textContent({ timeout: 500 })) === title) {
        return inner;
      }
    }
    throw new Error(`No webview has the title "${title}".`);
  }, 30_000);
}

/** Keeps a picture of the page under test-results/ for people. */
export async function screenshot(page: Page | Locator, name: string): Promise<string> {
  const folder = join(import.meta.dirname, '../../test-results');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path });
  return path;
}
