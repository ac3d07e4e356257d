import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openChat, press, startTask, waitForText, waitForTurnEnds } from '../test/support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../test/support/editorStage.ts';
import { DEMO_PROMPT, DEMO_SCRIPT } from './demo/sample.ts';
import { repositoryFolder } from './setup/need.ts';

/*
 * Takes the README's pictures, docs/img/*.png: the real extension in the real VS Code with the real agent; only the model
 * and GitHub are stand-ins. `node scripts/screenshots.ts [theme]`, after `npm run setup`.
 */

type Page = Awaited<ReturnType<EditorStage['openWindow']>>;

const MAX_BYTES = 200_000;
const FOLDER = join(repositoryFolder, 'docs/img');

const theme = process.argv[2] ?? 'Dark 2026';
await mkdir(FOLDER, { recursive: true });
const stage = await openEditorStage({ fallback: DEMO_SCRIPT, settings: { 'workbench.colorTheme': theme } });
try {
  const page = await stage.openWindow();
  await page.setViewportSize({ width: 1360, height: 820 });
  await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
  const chat = await openChat(page);
  await widenChat(page, 130);
  await startTask(chat, DEMO_PROMPT);
  await press(chat, 'Allow Once');
  await chat.getByRole('region', { name: 'Allow this?' }).getByText('slug.sh').first().waitFor({ timeout: 30_000 });
  await take(page, 'approval');
  await press(chat, 'Allow Once');
  await press(chat, 'Allow Once');
  await waitForTurnEnds(chat, 1);
  await waitForText(chat, 'Ready to review');
  await press(chat, 'Open Changes');
  await page.locator('.multiDiffEntry .view-line', { hasText: '[^a-z0-9]' }).first().waitFor();
  await take(page, 'review');
  await press(chat, 'Accept All');
  await waitForText(chat, 'accepted');
  await press(chat, 'Create Pull Request');
  await chat.getByRole('button', { name: 'Pull Request #1' }).waitFor();
  await take(page, 'pull-request');
} finally {
  await stage.dispose();
}

/** The side bar of a new window is narrow; a person drags it too. */
async function widenChat(page: Page, byPx: number): Promise<void> {
  const box = await page.locator('.part.auxiliarybar').boundingBox();
  if (!box) {
    throw new Error('The chat is not to be seen.');
  }
  await page.mouse.move(box.x - 2, box.y + 300);
  await page.mouse.down();
  await page.mouse.move(box.x - byPx, box.y + 300, { steps: 5 });
  await page.mouse.up();
}

async function take(page: Page, name: string): Promise<void> {
  await page.mouse.move(700, 5);
  const path = join(FOLDER, `${name}.png`);
  // Long enough for hover texts to go and for the list and its badge to be drawn.
  await page.waitForTimeout(1000);
  await page.screenshot({ path });
  const { size } = await stat(path);
  if (size > MAX_BYTES) {
    throw new Error(`${path} has ${size} bytes, more than the ${MAX_BYTES} it may have.`);
  }
  console.log(`${path}  ${Math.round(size / 1000)} kB`);
}
