import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frame, FrameLocator, Page } from 'playwright-core';
import { axeFindings } from '../../support/axe.ts';
import { openChat, startTask, waitForTurnEnds } from '../../support/chatPage.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { screenshot } from '../../support/workbench.ts';

/**
 * As the settings name them, the kind that the page is told, and whether all contrasts are ours to keep: Solarized's own text
 * on its own editor has less than is asked for.
 */
const THEMES = [
  ['Dark 2026', 'vscode-dark', true],
  ['Light 2026', 'vscode-light', true],
  ['Default High Contrast', 'vscode-high-contrast', true],
  ['Default High Contrast Light', 'vscode-high-contrast-light', true],
  ['Solarized Light', 'vscode-light', false],
] as const;

/** In the real themes: what the page takes from them differs from each to each. */
describe('accessibility of the chat in the editor', function () {
  this.timeout(120_000);
  let stage: EditorStage;
  let page: Page;
  let chat: FrameLocator;

  before(async function () {
    this.timeout(240_000);
    stage = await openEditorStage({ settings: { 'sandpiper.session.permissionMode': 'autopilot' } });
    page = await stage.openWindow();
    chat = await eventually(() => openChat(page), 70_000);
    const script = [
      {
        thinking: 'Let me see.',
        text: 'I look first.',
        tool: 'TaskCreate',
        input: { subject: 'Fix', description: 'd' },
      },
      { tool: 'Read', input: { file_path: 'slug.sh' } },
      { tool: 'Bash', input: { command: 'false' } },
      { tool: 'Write', input: { file_path: 'new.ts', content: 'const a = 1;\n' } },
      { text: '# Done\n\nSee [it](https://example.com/) and `code`:\n\n```ts\nconst answer = "42"; // why\n```\n' },
    ];
    await startTask(chat, `Fix it @@${JSON.stringify(script)}`);
    await waitForTurnEnds(chat, 1);
    await chat.getByRole('button', { name: /^Context and cost/ }).click();
    await chat.locator('.hljs-keyword').first().waitFor();
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  async function frame(): Promise<Frame> {
    for (const each of page.frames()) {
      if (
        (await each
          .locator('main .sessionHeader')
          .count()
          .catch(() => 0)) > 0
      ) {
        return each;
      }
    }
    throw new Error('The chat has no frame.');
  }

  for (const [theme, kind, own] of THEMES) {
    it(`axe finds nothing: ${theme}`, async () => {
      await mkdir(join(stage.repository, '.vscode'), { recursive: true });
      await writeFile(
        join(stage.repository, '.vscode/settings.json'),
        JSON.stringify({ 'workbench.colorTheme': theme, 'window.autoDetectColorScheme': false }),
      );
      const inside = await frame();
      await eventually(async () => {
        const [classes, id] = await inside.evaluate(() => [
          document.body.className,
          document.body.dataset['vscodeThemeId'],
        ]);
        assert.ok(classes?.split(' ').includes(kind), `${classes} of ${id}`);
        assert.match(id ?? '', new RegExp(theme.split(' ')[0] ?? ''));
      }, 30_000);
      await screenshot(page, `theme-${theme.toLowerCase().replaceAll(' ', '-')}`);
      const findings = await axeFindings(inside);
      assert.deepEqual(own ? findings : findings.filter(finding => !finding.startsWith('color-contrast')), []);
    });
  }
});
