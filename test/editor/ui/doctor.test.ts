import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { answerInput, runCommand, writeInput } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { screenshot } from '../../support/workbench.ts';
import { REAL_KEY } from '../../support/workshop.ts';
import { patient } from '../../support/patience.ts';

describe('the doctor in the editor', function () {
  this.timeout(120_000);
  let stage: EditorStage;
  let page: Page;

  before(async () => {
    stage = await openEditorStage({ env: { ANTHROPIC_API_KEY: undefined } });
    page = await stage.openWindow();
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  it('says first what is wrong, mends it when it is chosen, and then that sessions can run', async () => {
    await runCommand(page, 'Sandpiper: Doctor');
    const title = page.locator('.quick-input-title');
    await title.filter({ hasText: 'Doctor: 1 to mend before a session can run' }).waitFor({ timeout: patient(60_000) });
    const rows = page.locator('.quick-input-list .monaco-list-row');
    assert.match((await rows.first().getAttribute('aria-label')) ?? '', /model key.*missing.*Set API Key/);
    await screenshot(page, 'doctor');
    await rows.first().click();
    await page.locator('.quick-input-widget input[type=password]').waitFor();
    await answerInput(page, REAL_KEY);
    await title.filter({ hasText: 'Doctor: sessions can run' }).waitFor({ timeout: patient(60_000) });
    // The list draws only the rows that fit.
    await writeInput(page, 'Copy Report');
    await page.getByRole('option', { name: /Copy Report/ }).click();
    await page.getByText('copied the report').waitFor();
    const report = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(report, /^Sandpiper .*\n[^]*ok {6}model key: present/m);
    assert.ok(!report.includes(REAL_KEY));
  });
});
