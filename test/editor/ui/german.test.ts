import assert from 'node:assert/strict';
import type { FrameLocator, Page } from 'playwright-core';
import { chatOf, TURN_TIMEOUT_MS } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { paletteEntries, runCommand, writeInput } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { screenshot, statusItem, treeItem } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const TASK = 'Say it @@[{"tool":"Bash","input":{"command":"echo hello > hello.txt"}},{"text":"It is said."}]';

/** Everything that a person reads of Sandpiper, in an editor whose display language is German. */
describe('Sandpiper in German', function () {
  this.timeout(90_000);
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;

  before(async function () {
    this.timeout(240_000);
    stage = await openEditorStage({
      language: 'de',
      settings: { 'sandpiper.session.permissionMode': 'autopilot' },
    });
    page = await stage.openWindow();
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  it('has its commands in the palette', async () => {
    await eventually(async () => {
      const shown = await paletteEntries(page, 'Sandpiper: ');
      for (const title of ['Neue Sitzung', 'Änderungen öffnen', 'Pull Request erstellen', 'Diagnose']) {
        assert.ok(shown.includes(`Sandpiper: ${title}`), `${title} is not among ${shown.join('; ')}`);
      }
    }, 60_000);
    // Whatever opens at the same moment closes the palette.
    await eventually(async () => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('F1');
      await writeInput(page, '>Sandpiper: Sitzung', 2000);
      await page
        .locator('.quick-input-list .label-name', { hasText: 'Sandpiper: Sitzung' })
        .first()
        .waitFor({ timeout: 4000 });
      await screenshot(page, 'german-palette');
    }, 45_000);
    await page.keyboard.press('Escape');
  });

  it('takes a task in the chat, and says what comes of it', async () => {
    chat = await eventually(async () => {
      await runCommand(page, 'Sandpiper: Neue Sitzung');
      const opened = await chatOf(page);
      await opened.getByRole('textbox', { name: 'Aufgabe für den Agent' }).waitFor();
      return opened;
    }, 70_000);
    await chat.getByRole('heading', { name: 'Was soll der Agent tun?' }).waitFor();
    assert.equal(await chat.locator('html').getAttribute('lang'), 'de');
    await screenshot(page, 'german-new-session');
    await chat.getByRole('textbox', { name: 'Aufgabe für den Agent' }).fill(TASK);
    await chat.getByRole('button', { name: 'Starten' }).click();
    await chat
      .getByRole('heading', { name: 'Nachricht von Ihnen' })
      .first()
      .waitFor({ timeout: patient(TURN_TIMEOUT_MS) });
    await chat
      .getByText('It is said.')
      .first()
      .waitFor({ timeout: patient(TURN_TIMEOUT_MS) });
    await chat.locator('.turnEnd', { hasText: 'Abgeschlossen' }).waitFor({ timeout: patient(TURN_TIMEOUT_MS) });
    await chat.getByRole('button', { name: 'Pull Request erstellen' }).waitFor({ timeout: patient(TURN_TIMEOUT_MS) });
    await chat
      .locator('.activityLabel', { hasText: 'Bereit zum Prüfen' })
      .waitFor({ timeout: patient(TURN_TIMEOUT_MS) });
    await chat.getByRole('textbox', { name: 'Nachricht an den Agent' }).waitFor();
  });

  it('groups the sessions in the tree, and says in the status bar what waits', async () => {
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await page
      .locator('.pane-header')
      .filter({ hasText: /Sitzungen/ })
      .first()
      .waitFor();
    await treeItem(page, /^Bereit zum Prüfen, 1 Sitzung/).waitFor();
    await treeItem(page, /Bereit zum Prüfen.*1 Datei|, Bereit zum Prüfen/)
      .first()
      .waitFor();
    await statusItem(page, /1 zu prüfen/)
      .first()
      .waitFor();
    await screenshot(page, 'german-sessions');
  });

  it('offers the decisions over the lines of a review', async () => {
    await runCommand(page, 'Sandpiper: Änderungen öffnen');
    await page
      .locator('.codelens-decoration', { hasText: 'Annehmen' })
      .first()
      .waitFor({ timeout: patient(60_000) });
    await screenshot(page, 'german-review');
  });
});
