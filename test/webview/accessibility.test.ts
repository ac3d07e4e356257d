import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.ts';
import { axeFindings } from '../support/axe.ts';
import { showNewSession } from '../support/newSessionForm.ts';
import { richSession } from '../support/richSession.ts';
import type { ThemeName } from '../support/vscodeThemes.ts';
import type { WebviewPage } from '../support/webviewPage.ts';
import { useChatPages } from '../support/webviewSuite.ts';

const THEMES: readonly ThemeName[] = ['dark', 'light', 'none'];

/** The real themes of the editor are looked at in test/editor/ui/accessibility.test.ts; here, everything that can be on show. */
describe('accessibility of the chat page', function () {
  this.timeout(120_000);
  const { openChat, openSession } = useChatPages();

  const openRich = (theme: ThemeName): Promise<WebviewPage> => openSession(richSession(), { theme });

  for (const theme of THEMES) {
    it(`axe finds nothing: ${theme}, with everything open`, async () => {
      const chat = await openRich(theme);
      const { page } = chat;
      await page.getByRole('button', { name: 'Allow Once' }).waitFor();
      await page.locator('.codeBlock .hljs-keyword').first().waitFor();
      await page.getByRole('button', { name: /^Context and cost/ }).click();
      await page.getByRole('button', { name: 'Find in this session' }).click();
      await page.getByRole('textbox', { name: 'Find in this session' }).fill('the');
      await page.getByText(/^\d+ of \d+$/).waitFor();
      // What is inside of one is drawn when it is opened.
      await eventually(async () => {
        await page.evaluate(() => document.querySelectorAll('details').forEach(each => (each.open = true)));
        assert.equal(await page.locator('details:not([open])').count(), 0);
        assert.equal(await page.locator('[data-tool=b] .toolBody').count(), 1);
        assert.equal(await page.locator('[data-tool=r2] .toolBody').count(), 1);
      });
      assert.deepEqual(await axeFindings(page), []);
    });
  }

  it('axe looks, and names what is wrong', async () => {
    const { page } = await openRich('dark');
    await page.evaluate(() => document.querySelector('main')?.append(document.createElement('img')));
    assert.match((await axeFindings(page)).join(), /image-alt: <img/);
  });

  it('axe finds nothing in the composer of a new session', async () => {
    const chat = await openChat({ theme: 'light' });
    await showNewSession(chat, { notes: ['No key for the model is set.'] });
    await chat.page.getByLabel('Task for the agent').waitFor();
    assert.deepEqual(await axeFindings(chat.page), []);
  });

  it('is used by keyboard alone: every control is reached, and shows that it is', async () => {
    const { page } = await openRich('dark');
    await page.getByRole('button', { name: 'Allow Once' }).waitFor();
    const wanted = new Set(
      await page.locator('button:not(:disabled):visible:not([tabindex="-1"])').evaluateAll(buttons =>
        buttons.map((button, index) => {
          button.setAttribute('data-nth', String(index));
          return String(index);
        }),
      ),
    );
    const total = wanted.size;
    assert.ok(total > 10);
    await page.locator('body').click({ position: { x: 1, y: 1 } });
    for (let presses = 0; presses < 400 && wanted.size > 0; presses++) {
      await page.keyboard.press('Tab');
      const seen = await page.evaluate(() => {
        const element = document.activeElement;
        return {
          nth: element?.getAttribute('data-nth') ?? '',
          outline: element ? getComputedStyle(element).outlineStyle : '',
        };
      });
      if (seen.nth !== '') {
        assert.notEqual(seen.outline, 'none', `control ${seen.nth} shows no focus`);
        wanted.delete(seen.nth);
      }
    }
    assert.deepEqual([...wanted], [], `of ${total} controls these are out of reach`);
  });

  it('moves nothing for a reader who asked for that', async () => {
    const { page } = await openRich('dark');
    const moving = await page.evaluate(
      () => document.getAnimations().filter(each => each.playState === 'running').length,
    );
    assert.equal(moving, 0);
  });

  it('does not send what an input method is still composing', async () => {
    const chat = await openRich('dark');
    const { page } = chat;
    const field = page.getByLabel('Message to the agent');
    await field.focus();
    const session = await page.context().newCDPSession(page);
    await session.send('Input.imeSetComposition', { text: 'にほん', selectionStart: 3, selectionEnd: 3 });
    await field.dispatchEvent('keydown', { key: 'Enter', isComposing: true, keyCode: 229 });
    await session.send('Input.insertText', { text: '日本' });
    assert.equal(await field.inputValue(), '日本');
    assert.deepEqual(chat.asked('send'), []);
    await field.press('Enter');
    await eventually(() => assert.equal(chat.asked('send').length, 1));
    assert.equal(chat.asked('send')[0]?.['text'], '日本');
  });

  it('shows text that runs from right to left as such, and leaves code alone', async () => {
    const { page } = await openRich('dark');
    const direction = (text: string): Promise<string> =>
      page
        .getByText(text)
        .last()
        .evaluate(element => {
          const block = element.closest('.messageText, p, pre') ?? element;
          return getComputedStyle(block).direction + ' ' + getComputedStyle(block).unicodeBidi;
        });
    assert.match(await direction('שלום עולם'), /plaintext/);
    assert.match(await direction('const answer'), /^ltr/);
  });
});
