import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { Cli } from '../../support/cliProcess.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { notification, pressInRow, screenshot, statusItem, treeItem } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

/** Two windows of one person on one relay, which ran before either was opened. */
describe('what calls a person in the editor', function () {
  this.timeout(120_000);
  let stage: EditorStage;
  let first: Page;
  let second: Page;

  const begin = async (title: string, script: readonly object[]): Promise<string> => {
    const prompt = `${title} @@${JSON.stringify(script)}`;
    return (await stage.client.call('session.create', { source: stage.repository, prompt, title })).sessionId;
  };
  const state = (sessionId: string) => stage.client.call('session.get', { sessionId });
  const inBoth = async (text: string): Promise<number> =>
    (await notification(first, text).count()) + (await notification(second, text).count());

  before(async () => {
    stage = await openEditorStage();
    const cli = new Cli(stage.dataFolder, { ...stage.env });
    const script = `Ends well @@${JSON.stringify([{ text: 'Done.' }])}`;
    const ran = await cli.run(['run', script, '--repo', stage.repository, '--title', 'Ends well']);
    assert.equal(ran.code, 0, ran.stderr);
    first = await stage.openWindow();
    await first.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await treeItem(first, /^Ends well/).waitFor({ timeout: patient(45_000) });
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => first);

  it('says on return what happened, what it cost, and shows it', async () => {
    const told = notification(first, 'While you were away');
    await told.filter({ hasText: /1 finished, .*\$0\.\d\d spent/ }).waitFor({ timeout: patient(30_000) });
    await screenshot(first, 'whileAway');
    await told.getByRole('button', { name: 'Show…' }).click();
    await first.getByRole('option', { name: /Ends well/ }).waitFor();
    await first.keyboard.press('Escape');
  });

  it('asks in one window only, with the risk and the command, and answers from there', async () => {
    second = await stage.openWindow();
    await second.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await treeItem(second, /^Ends well/).waitFor({ timeout: patient(45_000) });
    assert.equal(await notification(second, 'While you were away').count(), 0, 'it was told already');
    const asks = await begin('Clean up', [
      { text: 'So.', tool: 'Bash', input: { command: 'rm -rf build' } },
      { text: 'Ok.' },
    ]);
    const text = 'Clean up (high risk: deletes files): Bash: rm -rf build';
    await eventually(async () => assert.equal(await inBoth(text), 1), 45_000);
    for (const page of [first, second]) {
      await statusItem(page, 'Sandpiper: 1 needs you').waitFor();
    }
    await screenshot(first, 'notificationOnce');
    const [page] = (await notification(first, text).count()) > 0 ? [first] : [second];
    await notification(page, text).getByRole('button', { name: 'Allow' }).click();
    await eventually(async () => assert.equal((await state(asks)).phase.kind, 'idle'), 45_000);
    const { answered } = await state(asks);
    assert.deepEqual(
      answered.map(({ answer }) => 'decision' in answer && answer.decision),
      [{ kind: 'allow' }],
    );
    await eventually(async () => assert.equal(await inBoth('Clean up: the agent is done.'), 1), 30_000);
  });

  it('has no Allow where the notification cannot show all of it', async () => {
    await begin('Two lines', [{ text: 'So.', tool: 'Bash', input: { command: 'touch a\ntouch b' } }, { text: 'Ok.' }]);
    await eventually(async () => assert.equal(await inBoth('Two lines (medium risk'), 1), 45_000);
    const [page] = (await notification(first, 'Two lines (medium').count()) > 0 ? [first] : [second];
    const toast = notification(page, 'Two lines (medium');
    assert.equal(await toast.getByRole('button', { name: 'Allow' }).count(), 0);
    await toast.getByRole('button', { name: 'Review…' }).click();
    await page.getByRole('option', { name: 'touch b', exact: true }).first().waitFor();
    await page.keyboard.press('Escape');
  });

  it('lists all sessions from the status bar, with what can be done at once', async () => {
    await statusItem(first, 'Sandpiper: 1 needs you').click();
    const row = first.getByRole('option', { name: /^Two lines/ });
    await row.waitFor();
    await row.hover();
    await row.getByRole('button', { name: 'Answer…' }).waitFor();
    await screenshot(first, 'statusPick');
    const idle = first.getByRole('option', { name: /^Two lines, Idle/ });
    await pressInRow(row, 'Stop Turn', () => idle.waitFor({ timeout: patient(10_000) }));
    await first.keyboard.press('Escape');
  });
});
