import { toSandpiperError } from '../../../protocol/errors.ts';
import { seldom } from '../components/lazyParts.tsx';
import { t } from '../../../protocol/text.ts';

/** A block of code of an answer. All of it is the agent's word. */
export interface Code {
  text: string;
  language?: string;
  /** The file that it is meant for. */
  path?: string;
}

export interface LinkActions {
  openUrl(url: string): void;
  /** @param itemId the tool call in whose card the name stands */
  openFile(path: string, itemId: string | undefined): void;
  copy(text: string): void;
  /** @throws {SandpiperError} what the reader should know */
  useCode(action: 'insert' | 'apply', code: Code): Promise<void>;
}

/** Answers clicks and keys on what agent text made: links, file names and copy buttons. One listener for the page. */
export function listenForLinks(root: HTMLElement, actions: LinkActions): void {
  const activate = (event: Event): void => {
    const target = event.target instanceof Element ? event.target.closest('a, [data-code]') : null;
    if (!(target instanceof HTMLElement)) {
      return;
    }
    const { url, file, code } = target.dataset;
    event.preventDefault();
    if (url !== undefined) {
      void seldom().then(({ confirmUrl }) => confirmUrl(url, actions));
    } else if (file !== undefined) {
      actions.openFile(file, target.closest<HTMLElement>('[data-tool]')?.dataset['tool']);
    } else if (code !== undefined) {
      onCode(target, code, actions);
    }
  };
  root.addEventListener('click', activate);
  root.addEventListener('auxclick', event => event.preventDefault());
  root.addEventListener('keydown', event => {
    if (event.key === 'Enter' && event.target instanceof HTMLElement && event.target.tagName === 'A') {
      activate(event);
    }
  });
}

function onCode(button: HTMLElement, action: string, actions: LinkActions): void {
  const code = button.closest('.codeBlock')?.querySelector('code');
  if (!code) {
    return;
  }
  const { language, path } = code.dataset;
  const text = code.textContent;
  if (action === 'copy') {
    actions.copy(text);
    showWord(button, t('Copied'));
  } else if (action === 'insert' || action === 'apply') {
    const block = { text, ...(language === undefined ? {} : { language }), ...(path === undefined ? {} : { path }) };
    actions.useCode(action, block).then(
      () => undefined,
      (thrown: unknown) => showWord(button, toSandpiperError(thrown).message),
    );
  }
}

const SHOWN_MS = 1500;
const PROBLEM_SHOWN_MS = 8000;

/** Says for a moment what came of it, to all who read: the button keeps its name. */
function showWord(button: HTMLElement, word: string): void {
  const before = button.dataset['word'] ?? button.textContent;
  button.dataset['word'] = before;
  button.textContent = word;
  button.setAttribute('aria-live', 'polite');
  setTimeout(
    () => {
      button.textContent = before;
    },
    word === 'Copied' ? SHOWN_MS : PROBLEM_SHOWN_MS,
  );
}
