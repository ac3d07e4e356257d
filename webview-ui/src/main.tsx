import { effect } from '@preact/signals';
import { render } from 'preact';
import { App } from './app.tsx';
import type { Host } from './host/host.ts';
import { createVsCodeHost, isInVsCode } from './host/vscodeHost.ts';
import { loadLanguage } from './language.ts';
import type { Page } from './page.ts';
import { ChatModel } from './state/chatModel.ts';
import { startClock } from './state/clock.ts';
import { Drafts } from './state/drafts.ts';
import { Outbox } from './state/outbox.ts';
import { listenForLinks } from './text/linkClicks.ts';

/** The browser's host is a chunk of its own: inside VS Code nobody loads its connection and its schemas. */
async function createHost(): Promise<Host> {
  if (isInVsCode()) {
    return createVsCodeHost();
  }
  const { createBrowserHost } = await import('./browser/browserHost.tsx');
  return createBrowserHost();
}

function connect(host: Host): Page {
  const model = new ChatModel(sessionId => host.ready(sessionId));
  const drafts = new Drafts(host);
  const left = drafts.unsent;
  const outbox = new Outbox(host, unsent => drafts.keepUnsent(unsent));
  host.start(message => (message.type === 'outbox' ? outbox.receive(message.entries) : model.receive(message)));
  void outbox.resume(left);
  effect(() => {
    const sessionId = model.sessionId.value;
    if (sessionId !== undefined) {
      drafts.remember(sessionId ?? undefined);
    }
  });
  // The editor destroys the page without asking; what was typed in the last moments must not go with it.
  window.addEventListener('pagehide', () => drafts.save());
  return { host, model, outbox, drafts };
}

function listen(root: HTMLElement, { host, model }: Page): void {
  const ignore = (): undefined => undefined;
  listenForLinks(root, {
    openUrl: url => void host.request('openExternal', { url }).catch(ignore),
    openFile: (path, itemId) => {
      const sessionId = model.sessionId.peek();
      if (typeof sessionId === 'string') {
        void host.request('openFile', { sessionId, path, ...(itemId === undefined ? {} : { itemId }) }).catch(ignore);
      }
    },
    copy: text => void host.request('copy', { text }).catch(ignore),
    useCode: async (action, code) => {
      if (action === 'insert') {
        await host.request('insertCode', { text: code.text });
      } else {
        await host.request('applyCode', code);
      }
    },
  });
}

async function main(): Promise<void> {
  const root = document.getElementById('root');
  if (!root) {
    throw new Error('The page has no element with the id "root".');
  }
  // Nothing has words before this.
  await loadLanguage(isInVsCode() ? [document.documentElement.lang] : navigator.languages);
  const host = await createHost();
  const page = connect(host);
  startClock();
  render(<App page={page} />, root);
  listen(root, page);
  host.ready(page.drafts.sessionId);
}

void main();
