import type { FrameLocator, Locator, Page } from 'playwright-core';
import { runCommand } from './palette.ts';
import { webview } from './workbench.ts';
import { patient } from './patience.ts';

/*
 * What a person does with Sandpiper in a VS Code window, by what the page says to a screen reader. A turn of the real agent
 * takes seconds, so every wait here is generous; none is a sleep.
 */

export const TURN_TIMEOUT_MS = 45_000;

/** The chat of a window, which may be about to load. */
export function chatOf(page: Page): Promise<FrameLocator> {
  return webview(page, 'Sandpiper Chat');
}

/** Opens the chat on the composer of a new session and waits until it can be typed into. */
export async function openChat(page: Page): Promise<FrameLocator> {
  await runCommand(page, 'Sandpiper: New Session');
  const chat = await chatOf(page);
  await chat.getByRole('textbox').first().waitFor();
  return chat;
}

/** Writes the task of a new session and starts it, when the page knows what it would start from. */
export async function startTask(chat: FrameLocator, text: string): Promise<void> {
  await chat.getByRole('textbox', { name: 'Task for the agent' }).fill(text);
  await chat.getByRole('button', { name: 'Start' }).click();
  await chat.getByRole('heading', { name: 'Message by you' }).first().waitFor();
}

/** Writes a message to the open session and sends it as the keyboard does. */
export async function sendMessage(chat: FrameLocator, text: string): Promise<void> {
  const box = chat.getByRole('textbox', { name: 'Message to the agent' });
  await box.fill(text);
  await box.press('Enter');
}

/** Waits until the page shows a text. */
export async function waitForText(chat: FrameLocator, text: string | RegExp): Promise<void> {
  await chat
    .getByText(text)
    .first()
    .waitFor({ timeout: patient(TURN_TIMEOUT_MS) });
}

/** Presses one of the page's buttons, once it is there and takes clicks. */
export async function press(chat: FrameLocator, name: string): Promise<void> {
  await chat
    .getByRole('button', { name, exact: true })
    .first()
    .click({ timeout: patient(TURN_TIMEOUT_MS) });
}

/** The card of the tool call whose title holds the text. */
export function toolCard(chat: FrameLocator, title: string): Locator {
  return chat.locator('details.tool').filter({ has: chat.locator('.toolTitle', { hasText: title }) });
}

/** Waits until that many turns are over. */
export async function waitForTurnEnds(chat: FrameLocator, count: number): Promise<void> {
  await chat
    .locator('.turnEnd')
    .nth(count - 1)
    .waitFor({ timeout: patient(TURN_TIMEOUT_MS) });
}
