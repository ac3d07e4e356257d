import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../../support/chromium.ts';
import { type CodeServer, startCodeServer } from '../../support/codeServer.ts';
import { dummyExtension, packFixture } from '../../support/fixtureVsix.ts';
import { runHostTests } from '../../support/hostTests.ts';
import { answerInput, paletteEntries, runCommand } from '../../support/palette.ts';
import { notification, openWindow, screenshot, statusItem, treeItem, webview } from '../../support/workbench.ts';

describe('the editor harness, with a dummy extension', function () {
  this.timeout(120_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandpiper-test-harness-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  describe('installed from a VSIX', () => {
    let server: CodeServer | undefined;
    let browser: Browser | undefined;
    let page: Page;

    before(async () => {
      const vsix = join(folder, 'dummy.vsix');
      await packFixture(dummyExtension, vsix);
      server = await startCodeServer({ extensions: [vsix] });
      browser = await launchChromium();
      page = await openWindow(browser, server, folder);
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });

    it('runs a command, answers its input box and sees its notification', async () => {
      await statusItem(page, 'Dummy is ready').waitFor();
      await runCommand(page, 'Dummy: Greet');
      await answerInput(page, 'harness');
      await notification(page, 'Hello harness').waitFor();
    });

    it('reads the whole palette, also what is not drawn at first', async () => {
      const entries = await paletteEntries(page, 'View: ');
      assert.ok(entries.length > 30, `only ${entries.length} entries`);
      assert.ok(entries.includes('View: Show Dummy'));
    });

    it('sees into trees and webviews, and takes a picture', async () => {
      await runCommand(page, 'View: Show Dummy');
      await treeItem(page, 'One thing').waitFor();
      const inside = await webview(page, 'Dummy page');
      await inside.getByText('Inside the page').waitFor();
      assert.match(await screenshot(page, 'harness'), /harness\.png$/);
    });
  });

  describe('loaded for tests in the extension host', () => {
    let server: CodeServer | undefined;
    before(async () => {
      server = await startCodeServer({ smokeTestDriver: true });
    });
    after(() => server?.stop());

    for (const { tests, code } of [
      { tests: 'pass', code: 0 },
      { tests: 'fail', code: 1 },
    ]) {
      it(`ends with ${code} when the tests ${tests}`, async () => {
        assert.ok(server);
        const lines: string[] = [];
        const exitCode = await runHostTests(server, {
          extension: dummyExtension,
          tests: join(dummyExtension, 'tests', `${tests}.cjs`),
          workspace: folder,
          print: line => lines.push(line),
        });
        assert.equal(exitCode, code, lines.join('\n'));
        assert.equal(
          lines.some(line => line.includes('said by the host itself')),
          tests === 'pass',
        );
      });
    }
  });
});
