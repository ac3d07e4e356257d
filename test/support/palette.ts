import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { eventually } from './eventually.ts';

/* The command palette and its relatives, as a person uses them. */

/**
 * Runs a command by its title in the palette. An editor that opens at the same moment closes the palette, and commands of
 * an extension appear once it is known, so it tries again until the title is there.
 */
export async function runCommand(page: Page, title: string): Promise<void> {
  // Whole titles only: one command's title may be the start of another's.
  const whole = new RegExp(`^${title.replaceAll(/[^\w\s]/g, String.raw`\$&`)}$`);
  const label = page.locator('.label-name', { hasText: whole });
  const row = page.locator('.quick-input-list .monaco-list-row').filter({ has: label }).first();
  await eventually(async () => {
    // An open palette knows only the commands that were there when it was opened.
    await page.keyboard.press('Escape');
    await page.keyboard.press('F1');
    await writeInput(page, `>${title}`, 2000);
    await row.click({ timeout: 4000 });
  }, 45_000);
}

/** The palette's entries that begin with a text, top to bottom; the list is drawn in parts, so it is walked. */
export async function paletteEntries(page: Page, start: string): Promise<string[]> {
  await page.keyboard.press('F1');
  await writeInput(page, `>${start}`);
  const rows = page.locator('.quick-input-list .monaco-list-row');
  const focused = page.locator('.quick-input-list .monaco-list-row.focused');
  await focused.waitFor();
  const found = new Set<string>();
  for (let isAtEnd = false; !isAtEnd;) {
    for (const label of await rows.locator('.label-name').allTextContents()) {
      found.add(label);
    }
    const before = await focused.getAttribute('data-index');
    await page.keyboard.press('PageDown');
    // The list is drawn a moment after the key; at its end the focus stays where it is.
    isAtEnd = await eventually(async () => assert.notEqual(await focused.getAttribute('data-index'), before), 500).then(
      () => false,
      () => true,
    );
  }
  await page.keyboard.press('Escape');
  return [...found].filter(label => label.startsWith(start));
}

/** Types into the open input box and accepts it. */
export async function answerInput(page: Page, text: string): Promise<void> {
  await writeInput(page, text);
  await page.locator('.quick-input-widget:visible input').first().press('Enter');
}

/**
 * Writes into the open input box and nowhere else: what is typed by keys lands in an editor that takes the focus at that
 * moment, and stays there.
 */
export async function writeInput(page: Page, text: string, timeoutMs: number = 30_000): Promise<void> {
  const input = page.locator('.quick-input-widget:visible input').first();
  await input.waitFor({ timeout: timeoutMs });
  if (!text.startsWith('>')) {
    // The palette whose command asks goes away only then, and it is the same box.
    await eventually(async () => assert.doesNotMatch(await input.inputValue({ timeout: 2000 }), /^>/), timeoutMs);
  }
  await input.evaluate((element, value) => {
    if (element instanceof HTMLInputElement) {
      element.value = value;
      element.dispatchEvent(new Event('input', { bubbles: true }));
    }
  }, text);
}
