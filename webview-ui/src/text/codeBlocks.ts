import { highlightInto } from './highlight.ts';

/** Gives code its head with the language and a copy button, and tables a place to scroll in. Once a block. */
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
  const copy = document.createElement('button');
  copy.type = 'button';
  copy.className = 'link';
  copy.dataset['copy'] = '';
  copy.textContent = 'Copy';
  copy.ariaLabel = 'Copy code';
  head.append(label, copy);
  pre.tabIndex = 0;
  pre.replaceWith(frame);
  frame.append(head, pre);
}

/** Colours the code of a block that will not change any more. */
export function colourBlock(block: HTMLElement): void {
  for (const code of block.querySelectorAll<HTMLElement>('pre > code')) {
    void highlightInto(code, code.dataset['language'] ?? '');
  }
}
