import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { chatOf, waitForText } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { runCommand } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { pressInRow, screenshot } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

const ID = '0badcafe-0000-4000-8000-000000000001';

describe('a Claude Code session that is imported in the editor', function () {
  this.timeout(120_000);
  let stage: EditorStage;
  let page: Page;
  let config = '';

  before(async () => {
    config = await mkdtemp(join(tmpdir(), 'sandpiper-claude-'));
    stage = await openEditorStage({ env: { CLAUDE_CONFIG_DIR: config } });
    const folder = join(config, 'projects/-sample');
    await mkdir(folder, { recursive: true });
    const common = { cwd: stage.repository, gitBranch: 'main', sessionId: ID, isSidechain: false, version: '2.1.328' };
    const rows = [
      { ...common, type: 'user', uuid: 'a', parentUuid: null, message: { role: 'user', content: 'Make it faster' } },
      {
        ...common,
        type: 'assistant',
        uuid: 'b',
        parentUuid: 'a',
        message: { id: 'msg_1', role: 'assistant', content: [{ type: 'text', text: 'It is faster now.' }] },
      },
    ];
    await writeFile(join(folder, `${ID}.jsonl`), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
    page = await stage.openWindow();
  });
  after(async () => {
    await stage?.dispose();
    await rm(config, { recursive: true, force: true });
  });
  pictureOfFailure(() => page);

  it('can be read before, and goes on as a session with its past', async () => {
    await runCommand(page, 'Sandpiper: Import Claude Code Session…');
    const row = page.getByRole('option', { name: /^Make it faster/ });
    await row.waitFor({ timeout: patient(60_000) });
    const preview = page.locator('.editor-instance .view-line', { hasText: 'It is faster now.' }).first();
    await pressInRow(row, 'Preview', () => preview.waitFor({ timeout: 5000 }));
    await screenshot(page, 'importPreview');
    await row.click();
    await page.getByRole('option', { name: /With Uncommitted Work/ }).click();
    const chat = await chatOf(page);
    await waitForText(chat, 'It is faster now.');
    await waitForText(chat, /^Imported from your own conversation/);
    const { sessions } = await stage.client.call('session.list', {});
    assert.deepEqual(
      sessions.map(({ title, phase }) => [title, phase]),
      [['Make it faster', 'idle']],
    );
    await screenshot(page, 'imported');
  });
});
