import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { axeFindings } from '../support/axe.ts';
import { showNewSession } from '../support/newSessionForm.ts';
import { richSession } from '../support/richSession.ts';
import { screenshot } from '../support/workbench.ts';
import { useChatPages } from '../support/webviewSuite.ts';

/** Every text that a reader or a screen reader gets, where it stands; without what a person or an agent wrote. */
function textsOf(page: Page, foreign: string): Promise<string[]> {
  return page.evaluate(theirs => {
    const found: string[] = [];
    const add = (text: string | null): void => {
      const words = (text ?? '').replace(/\s+/g, ' ').trim();
      if (/\p{L}{2}/u.test(words)) {
        found.push(words);
      }
    };
    const isTheirs = (element: Element | null): boolean => (element?.closest(theirs) ?? null) !== null;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (!isTheirs(node.parentElement) && (node.parentElement?.closest('script, style') ?? null) === null) {
        add(node.textContent);
      }
    }
    for (const element of document.body.querySelectorAll('[aria-label], [title], [placeholder], [alt]')) {
      for (const name of ['aria-label', 'placeholder', 'alt', 'title']) {
        if (!isTheirs(element)) {
          add(element.getAttribute(name));
        }
      }
    }
    return found;
  }, foreign);
}

/** What an agent or a tool wrote, at length. */
const FOREIGN =
  '.markdown, .messageText, .toolName, .toolTitle, .askedInput, .askedTool, .toolBody pre, .lineText, time';

/** The same in short: names and texts of the sample, which are nobody's to translate. */
const SAMPLE = new Set([
  'Fix the flaky login test',
  'webshop',
  '/home/me/webshop',
  'main',
  'a'.repeat(40),
  'a'.repeat(8),
  'I should look at the code.',
  'a.ts',
  'b.ts',
  'src/a.ts',
  'Careful',
  'Run',
  'npm test',
  'again',
  'Read',
  'Write',
  'Test',
  'opus',
  'sonnet',
  'haiku',
]);

/** A text is split where a link or code stands in it, so one of the marks is enough. */
async function untranslated(page: Page): Promise<string[]> {
  const texts = await textsOf(page, FOREIGN);
  return texts.filter(text => !text.includes('[!!') && !text.includes('!!]') && !SAMPLE.has(text));
}

describe('the languages of the chat page', function () {
  this.timeout(120_000);

  describe('a language that marks each text', () => {
    const { openSession, openChat } = useChatPages('pseudo');

    it('leaves no text of ours untranslated, and axe finds nothing', async () => {
      const { page } = await openSession(richSession());
      await page.locator('[data-approval] button').first().waitFor();
      await page.locator('.usage').click();
      await page.locator('.usagePanel').waitFor();
      await page.waitForFunction(() => {
        document.querySelectorAll('details').forEach(each => (each.open = true));
        return document.querySelector('[data-tool=b] .toolBody') && document.querySelector('[data-tool=r2] .toolBody');
      });
      const plain = await untranslated(page);
      assert.deepEqual(plain, []);
      assert.deepEqual(await axeFindings(page), []);
    });

    it('leaves none in the form of a new session', async () => {
      const chat = await openChat();
      await showNewSession(chat);
      await chat.page.locator('textarea').waitFor();
      await chat.page.locator('.isolation').waitFor();
      const plain = await untranslated(chat.page);
      assert.deepEqual(plain, []);
    });
  });

  describe('German', () => {
    const { openSession } = useChatPages('de');

    it('is what the page speaks, with its dates and numbers, and axe finds nothing', async () => {
      const { page } = await openSession(richSession());
      await page.getByRole('button', { name: 'Einmal zulassen' }).waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
      await page.getByRole('textbox', { name: 'Nachricht an den Agent' }).waitFor();
      await page.getByRole('button', { name: /^Kontext und Kosten/ }).click();
      await page.getByText('Kontext: 170k von 200k Tokens').waitFor();
      await page.getByText('Hohes Risiko: löscht Dateien').waitFor();
      assert.deepEqual(await axeFindings(page), []);
      await screenshot(page, 'german-page');
    });
  });
});
