import type { Browser, Page } from 'playwright-core';
import type { HostMessage, WebviewMessage } from '../../protocol/webviewApi.ts';
import { themes, type ThemeName } from './vscodeThemes.ts';
import { patient } from './patience.ts';

export interface WebviewPageOptions {
  theme?: ThemeName;
  width?: number;
  height?: number;
  /** Answers a request; what it throws becomes the failure. Without it every request succeeds with an empty result. */
  answer?: (method: string, params: Record<string, unknown>) => unknown;
  /** What the page saved before. */
  saved?: unknown;
}

/** The chat page with a stand-in for the editor's side of `acquireVsCodeApi`. */
export interface WebviewPage {
  page: Page;
  /** All that the page said, in order. */
  said: WebviewMessage[];
  /** Requests of one kind, in order. */
  asked(method: string): Record<string, unknown>[];
  /** Addresses that the page asked the network for, without its own files. */
  requests: string[];
  /** Errors and refusals of the policy that the console shows. */
  problems: string[];
  tell(...messages: HostMessage[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens the page and returns once it has said `ready`. */
export async function openWebviewPage(
  browser: Browser,
  url: string,
  options: WebviewPageOptions = {},
): Promise<WebviewPage> {
  const { width = 480, height = 800, theme = 'dark', saved = null } = options;
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce' });
  context.setDefaultTimeout(patient(30_000));
  const page = await context.newPage();
  const said: WebviewMessage[] = [];
  const requests: string[] = [];
  const problems: string[] = [];
  page.on('request', request => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:,')) {
      requests.push(request.url());
    }
  });
  page.on('console', message => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', error => problems.push(error.message));
  const tell = async (...messages: HostMessage[]): Promise<void> => {
    await page.evaluate(
      list => list.forEach(data => window.dispatchEvent(new MessageEvent('message', { data }))),
      messages,
    );
  };
  await page.exposeFunction('sandpiperSaid', async (message: WebviewMessage) => {
    said.push(message);
    if (message.type === 'request') {
      await tell(reply(message, options.answer));
    }
  });
  await page.addInitScript(
    ([state, variables, bodyClass]) => {
      let kept: unknown = state;
      const say: unknown = Reflect.get(window, 'sandpiperSaid');
      const api = {
        postMessage: (message: unknown) => typeof say === 'function' && say(message),
        getState: () => kept,
        setState: (next: unknown) => {
          kept = next;
          Reflect.set(window, 'sandpiperSaved', next);
        },
      };
      Reflect.set(window, 'acquireVsCodeApi', () => api);
      document.addEventListener('DOMContentLoaded', () => {
        document.body.className = bodyClass;
        for (const [name, value] of Object.entries(variables)) {
          document.documentElement.style.setProperty(name, value);
        }
      });
    },
    [saved, themes[theme].variables, themes[theme].bodyClass] as const,
  );
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector('main') !== null);
  return {
    page,
    said,
    asked: method =>
      said.flatMap(message => (message.type === 'request' && message.method === method ? [{ ...message.params }] : [])),
    requests,
    problems,
    tell,
    close: () => context.close(),
  };
}

function reply(
  message: Extract<WebviewMessage, { type: 'request' }>,
  answer: WebviewPageOptions['answer'],
): HostMessage {
  const { requestId, method, params } = message;
  try {
    return { type: 'reply', requestId, ok: true, result: answer?.(method, { ...params }) ?? {} };
  } catch (thrown) {
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    return { type: 'reply', requestId, ok: false, error: { code: 'unavailable', retryable: true, message: text } };
  }
}
