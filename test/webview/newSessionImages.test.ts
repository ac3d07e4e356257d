import assert from 'node:assert/strict';
import { newId } from '../../protocol/ids.ts';
import { eventually } from '../support/eventually.ts';
import { showNewSession } from '../support/newSessionForm.ts';
import { noisePng } from '../support/noisePng.ts';
import type { WebviewPage, WebviewPageOptions } from '../support/webviewPage.ts';
import { useChatPages } from '../support/webviewSuite.ts';
import { screenshot } from '../support/workbench.ts';

/** Images in the composer of a session that does not exist yet, against a host that is played. */
describe('images of a new session', function () {
  this.timeout(60_000);
  const { openChat } = useChatPages();
  const sessionId = newId('ses');
  let refuses = false;

  beforeEach(() => {
    refuses = false;
  });

  async function openForm(options: WebviewPageOptions = {}): Promise<WebviewPage> {
    const chat = await openChat({
      ...options,
      answer: method => {
        if (method === 'startSession' && refuses) {
          throw new Error('No room.');
        }
        return method === 'startSession' ? { sessionId } : {};
      },
    });
    await showNewSession(chat, { needsConsent: false, modelKeyPresent: true });
    await field(chat).waitFor();
    return chat;
  }

  const field = ({ page }: WebviewPage) => page.getByLabel('Task for the agent');
  const pictures = ({ page }: WebviewPage) => page.getByRole('img', { name: /^Image/ });
  const bring = (chat: WebviewPage, how: 'paste' | 'drop', content: Buffer): Promise<void> =>
    field(chat).evaluate(
      (node, { kind, base64 }) => {
        const data = new DataTransfer();
        const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
        data.items.add(new File([bytes], 'a.png', { type: 'image/png' }));
        const options = { bubbles: true, cancelable: true };
        node.dispatchEvent(
          kind === 'paste'
            ? new ClipboardEvent('paste', { ...options, clipboardData: data })
            : new DragEvent('drop', { ...options, dataTransfer: data }),
        );
      },
      { kind: how, base64: content.toString('base64') },
    );
  async function choose({ page }: WebviewPage, name: string, buffer: Buffer): Promise<void> {
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Add images' }).click(),
    ]);
    await chooser.setFiles({ name, mimeType: 'image/png', buffer });
  }

  for (const width of [250, 480]) {
    it(`are pasted, dropped and chosen, and go with the first message, at ${width} pixels`, async () => {
      const chat = await openForm({ width });
      const [pasted, dropped, chosen] = [noisePng(20), noisePng(30), noisePng(40)];
      await bring(chat, 'paste', pasted);
      await pictures(chat).nth(0).waitFor();
      await bring(chat, 'drop', dropped);
      await pictures(chat).nth(1).waitFor();
      await choose(chat, 'c.png', chosen);
      await pictures(chat).nth(2).waitFor();
      await screenshot(chat.page, `new-session-images-${width}`);
      const overflow = await chat.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide`);
      await chat.page.getByRole('button', { name: 'Remove image 2' }).click();
      await field(chat).fill('Build this');
      await field(chat).press('Enter');
      await eventually(() => assert.equal(chat.asked('startSession').length, 1));
      assert.deepEqual(chat.asked('startSession')[0]?.['images'], [
        { mediaType: 'image/png', content: pasted.toString('base64') },
        { mediaType: 'image/png', content: chosen.toString('base64') },
      ]);
      await eventually(async () => assert.equal(await pictures(chat).count(), 0, 'the next one begins without'));
    });
  }

  it('stay in the draft when the page is loaded anew, and when the start fails', async () => {
    const image = noisePng(20);
    const before = await openForm();
    await bring(before, 'paste', image);
    await field(before).fill('Build this');
    await eventually(async () => {
      const saved: unknown = await before.page.evaluate(() => Reflect.get(window, 'sandpiperSaved'));
      assert.match(JSON.stringify(saved), /Build this.*"content":/);
    });
    const saved: unknown = await before.page.evaluate(() => Reflect.get(window, 'sandpiperSaved'));
    const chat = await openForm({ saved });
    await pictures(chat).waitFor();
    refuses = true;
    await field(chat).press('Enter');
    await chat.page.getByText('No room.').waitFor();
    assert.equal(await pictures(chat).count(), 1);
    refuses = false;
    await field(chat).press('Enter');
    await eventually(() => assert.equal(chat.asked('startSession').length, 2));
    assert.deepEqual(chat.asked('startSession')[1]?.['images'], [
      { mediaType: 'image/png', content: image.toString('base64') },
    ]);
  });

  it('are refused when they are none, with what to do', async () => {
    const chat = await openForm();
    await choose(chat, 'broken.png', Buffer.from('no image'));
    await chat.page.getByText('"broken.png" is not an image that can be shown here.').waitFor();
    await chat.page.getByText('Use PNG, JPEG, GIF or WebP.').waitFor();
    assert.equal(await pictures(chat).count(), 0);
  });
});
