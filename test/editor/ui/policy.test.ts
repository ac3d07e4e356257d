import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { POLICY_PATH } from '../../../protocol/policy.ts';
import { openEditorStage, type EditorStage } from '../../support/editorStage.ts';
import { eventually } from '../../support/eventually.ts';
import { bash, idle } from '../../support/landing.ts';
import { runCommand } from '../../support/palette.ts';
import { pictureOfFailure } from '../../support/pictureOfFailure.ts';
import { plainGit } from '../../support/plainGit.ts';
import { notification, screenshot } from '../../support/workbench.ts';
import { patient } from '../../support/patience.ts';

/** What a repository declares on its base branch, as a person in the editor meets it. */
describe('the policy of a repository, in the editor', function () {
  this.timeout(120_000);
  let stage: EditorStage;
  let page: Page;

  before(async () => {
    stage = await openEditorStage();
    page = await stage.openWindow();
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await page.getByText('No sessions yet.').waitFor();
    const { sessionId } = await stage.client.call('session.create', {
      source: stage.repository,
      prompt: `Please do this: @@${JSON.stringify(bash('echo x > added.txt; echo y > yarn.lock'))}`,
      title: 'A change',
      permissionMode: 'autopilot',
    });
    await eventually(async () => {
      assert.ok(idle(1)(await stage.client.call('session.get', { sessionId })));
    }, 60_000);
  });
  after(() => stage?.dispose());
  pictureOfFailure(() => page);

  const declare = async (policy: object): Promise<void> => {
    const file = join(stage.repository, POLICY_PATH);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, JSON.stringify(policy));
    await plainGit(stage.repository, ['add', POLICY_PATH]);
    await plainGit(stage.repository, ['commit', '-qm', 'Declare a policy']);
    const remote = await plainGit(stage.repository, ['remote', 'get-url', 'origin']);
    const basic = Buffer.from(`x-access-token:${stage.github.token}`).toString('base64');
    await plainGit(stage.repository, [
      '-c',
      `http.extraHeader=Authorization: Basic ${basic}`,
      'push',
      '-q',
      remote,
      'HEAD:main',
    ]);
  };
  const onSession = async (title: string): Promise<void> => {
    await runCommand(page, `Sandpiper: ${title}`);
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'A change' }).first().click();
  };
  const row = (text: string) => page.locator('.quick-input-list .monaco-list-row', { hasText: text });

  it('is not there, and says so', async () => {
    await onSession('Check Policy');
    await notification(page, `There is no ${POLICY_PATH} on the base`).waitFor({ timeout: patient(30_000) });
  });

  it('refuses the pull request, and lists every rule with its file', async () => {
    await declare({ version: 1, paths: { deny: ['*.lock'] }, limits: { files: 1 } });
    await onSession('Create Pull Request');
    const refused = notification(page, 'does not let this land');
    await refused.waitFor({ timeout: patient(30_000) });
    assert.equal(stage.github.pullRequests().length, 0);
    await refused.getByRole('button', { name: 'Show Rules' }).click();
    await row('A change').or(row('yarn.lock')).first().waitFor();
    if ((await row('A change').count()) > 0) {
      await row('A change').first().click();
    }
    await row('yarn.lock')
      .filter({ hasText: 'Nothing may change here' })
      .waitFor({ timeout: patient(30_000) });
    await row('2 files are changed; at most 1 may be.').waitFor();
    await screenshot(page, 'policy-refused');
    await row('yarn.lock').click();
    await page
      .getByRole('tab', { name: /A change/ })
      .first()
      .waitFor({ timeout: patient(30_000) });
  });

  it('lets land what keeps to it', async () => {
    await declare({ version: 1, paths: { deny: ['infra/'] } });
    await runCommand(page, 'Sandpiper: Check Policy');
    await notification(page, 'The policy of main lets this land.').waitFor({ timeout: patient(30_000) });
  });
});
