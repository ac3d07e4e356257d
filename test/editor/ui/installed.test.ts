import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import { resolveKeys } from '../../../scripts/l10n/resolveKeys.ts';
import { readZip } from '../../../scripts/package/zipEntries.ts';
import { builtVsix } from '../../support/builtVsix.ts';
import { launchChromium } from '../../support/chromium.ts';
import { type CodeServer, startCodeServer } from '../../support/codeServer.ts';
import { paletteEntries } from '../../support/palette.ts';
import { stopRelayOf } from '../../support/stopRelay.ts';
import { openWindow, screenshot, statusItem, treeItem } from '../../support/workbench.ts';

const manifestSchema = z.object({
  contributes: z.object({
    commands: z.array(z.object({ command: z.string(), title: z.string() })),
    menus: z.looseObject({
      commandPalette: z.array(z.object({ command: z.string(), when: z.string().optional() })).default([]),
    }),
  }),
});

describe('the installed extension', function () {
  this.timeout(120_000);
  let folder: string;
  let vsix: string;
  let server: CodeServer | undefined;
  let browser: Browser | undefined;
  let page: Page;
  const messages: string[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandpiper-test-installed-'));
    vsix = await builtVsix();
    server = await startCodeServer({
      extensions: [vsix],
      machineSettings: { 'sandpiper.relay.dataFolder': join(folder, 'data') },
    });
    browser = await launchChromium();
    page = await openWindow(browser, server, folder, line => messages.push(line));
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await stopRelayOf(join(folder, 'data'));
    await rm(folder, { recursive: true, force: true });
  });

  it('shows itself in the status bar', async () => {
    await statusItem(page, /sandpiper/i)
      .first()
      .waitFor();
  });

  it('offers each of its commands in the palette that is not hidden there', async () => {
    const entries = readZip(await readFile(vsix));
    const read = (file: string): unknown =>
      JSON.parse(entries.find(({ name }) => name === `extension/${file}`)?.content.toString() ?? '');
    const texts = z.record(z.string(), z.string()).parse(read('package.nls.json'));
    const { commands, menus } = manifestSchema.parse(resolveKeys(read('package.json'), texts)).contributes;
    const conditional = new Set(menus.commandPalette.map(({ command }) => command));
    const always = commands.filter(({ command }) => !conditional.has(command)).map(({ title }) => title);
    const shown = await paletteEntries(page, 'Sandpiper: ');
    assert.deepEqual(
      always.filter(title => !shown.includes(`Sandpiper: ${title}`)),
      [],
    );
  });

  it('opens its view from the activity bar', async () => {
    await page.getByRole('tab', { name: 'Sandpiper' }).first().click();
    await page
      .locator('.pane-header, .composite.title')
      .filter({ hasText: /sessions/i })
      .first()
      .waitFor();
    await screenshot(page, 'installed-sessions');
    assert.equal(await treeItem(page, /error/i).count(), 0);
  });

  it('asks VS Code for nothing that a marketplace extension may not have', () => {
    assert.deepEqual(
      messages.filter(line => /sandpiper/i.test(line) && /API proposal|proposed menu|proposed API/i.test(line)),
      [],
    );
  });
});
