import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openChat, press, startTask, waitForText, waitForTurnEnds } from '../test/support/chatPage.ts';
import { openEditorStage } from '../test/support/editorStage.ts';
import { diffOf, lens } from '../test/support/reviewStage.ts';
import { DEMO_PROMPT, DEMO_SCRIPT } from './demo/sample.ts';
import { Film, type Page } from './screenshots/film.ts';
import { repositoryFolder } from './setup/need.ts';

/*
 * Takes the README's pictures, docs/img/*.png, and its film, tour.webp: the real extension in the real VS Code with the real
 * agent; only the model and GitHub are stand-ins. `node scripts/screenshots.ts [theme]`, after `npm run setup`.
 */

const MAX_BYTES = 200_000;
const MAX_FILM_BYTES = 1_000_000;
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
  const film = new Film(page);
  await typeTask(chat, film);
  await startTask(chat, DEMO_PROMPT);
  await chat.getByRole('button', { name: 'Allow Once', exact: true }).first().waitFor();
  await film.shot(1500);
  await press(chat, 'Allow Once');
  await chat.getByRole('region', { name: 'Allow this?' }).getByText('slug.sh').first().waitFor({ timeout: 30_000 });
  await take(page, 'approval');
  await film.shot(1500);
  await press(chat, 'Allow Once');
  await press(chat, 'Allow Once');
  await waitForTurnEnds(chat, 1);
  await waitForText(chat, 'Ready to review');
  await film.shot(1500);
  await press(chat, 'Open Changes');
  await page.locator('.multiDiffEntry .view-line', { hasText: '[^a-z0-9]' }).first().waitFor();
  await lens(diffOf(page, 'slug.sh'), 'Accept').first().waitFor();
  await take(page, 'review');
  await film.shot(2500);
  await lens(diffOf(page, 'slug.sh'), 'Accept').first().click();
  await waitForText(chat, 'accepted');
  await lens(diffOf(page, 'slug.sh'), 'Accept').first().waitFor({ state: 'detached' });
  await moveAway(page);
  await film.shot(1500);
  await press(chat, 'Create Pull Request');
  await chat.getByRole('button', { name: 'Pull Request #1' }).waitFor();
  await take(page, 'pull-request');
  await film.shot(3000);
  await film.write(join(FOLDER, 'tour.webp'));
  await requireSmall('tour.webp', MAX_FILM_BYTES);
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
  await moveAway(page);
}

async function typeTask(chat: Awaited<ReturnType<typeof openChat>>, film: Film): Promise<void> {
  const box = chat.getByRole('textbox', { name: 'Task for the agent' });
  await film.shot(1000);
  for (const words of DEMO_PROMPT.match(/\S+\s+\S+\s*|\S+\s*/g) ?? []) {
    await box.pressSequentially(words);
    await film.shot(200);
  }
  await film.shot(800);
}

/** Long enough for hover texts to go and for the list and its badge to be drawn. */
async function moveAway(page: Page): Promise<void> {
  await page.mouse.move(700, 5);
  await page.waitForTimeout(1000);
}

async function take(page: Page, name: string): Promise<void> {
  await moveAway(page);
  await page.screenshot({ path: join(FOLDER, `${name}.png`) });
  await requireSmall(`${name}.png`, MAX_BYTES);
}

async function requireSmall(name: string, maxBytes: number): Promise<void> {
  const { size } = await stat(join(FOLDER, name));
  if (size > maxBytes) {
    throw new Error(`docs/img/${name} has ${size} bytes, more than the ${maxBytes} it may have.`);
  }
  console.log(`docs/img/${name}  ${Math.round(size / 1000)} kB`);
}
