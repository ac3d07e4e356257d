import { highlightInto } from './highlight.ts';
import { t } from '../../../protocol/text.ts';

/** Gives code its head with the language and what can be done with it, and tables a place to scroll in. Once a block. */
export function decorateBlock(block: HTMLElement): void {
  for (const table of block.querySelectorAll('table')) {
    const scroller = document.createElement('div');
    scroller.className = 'tableScroll';
    scroller.tabIndex = 0;
    table.replaceWith(scroller);
    scroller.append(table);
  }
  for (const pre of block.querySelectorAll('pre')) {
    decorateCode(pre);
  }
}

function decorateCode(pre: HTMLPreElement): void {
  const code = pre.querySelector('code');
  if (!code) {
    return;
  }
  const language = code.dataset['language'] ?? '';
  const frame = document.createElement('div');
  frame.className = 'codeBlock';
  const head = document.createElement('div');
  head.className = 'codeHead';
  const label = document.createElement('span');
  label.textContent = language;
  const buttons = document.createElement('span');
  buttons.className = 'codeActions';
  buttons.append(...actions().map(([action, word, title]) => codeButton(action, word, title)));
  head.append(label, buttons);
  pre.tabIndex = 0;
  pre.replaceWith(frame);
  frame.append(head, pre);
}

const actions = () =>
  [
    ['apply', t('Apply'), t('Apply the code to the open file')],
    ['insert', t('Insert'), t('Insert the code at the cursor')],
    ['copy', t('Copy'), t('Copy code')],
  ] as const;

/** What only an editor can do is hidden by the style where there is none. */
function codeButton(action: string, word: string, title: string): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = `link ${action}`;
  button.dataset['code'] = action;
  button.textContent = word;
  button.ariaLabel = title;
  button.title = title;
  return button;
}

/** Colours the code of a block that will not change any more. */
export function colourBlock(block: HTMLElement): void {
  for (const code of block.querySelectorAll<HTMLElement>('pre > code')) {
    void highlightInto(code, code.dataset['language'] ?? '');
  }
}
