import type { Token } from 'marked';
import { colourBlock, decorateBlock } from './codeBlocks.ts';
import { lexMarkdown, renderBlock } from './markdown.ts';

interface Block {
  raw: string;
  /** Absent for blank space between blocks. */
  element?: HTMLElement;
}

/** Blocks at the end that may still change while text comes: a line can turn the paragraph before it into a heading. */
const OPEN_BLOCKS = 3;
/** Beyond this, text is shown as it is: parsing it again and again would freeze the page. */
const MAX_MARKDOWN = 200_000;

/**
 * Draws Markdown that grows. Finished blocks are drawn once and left alone, so that the cost of a delta does not depend
 * on how much came before it.
 */
export class StreamingMarkdown {
  readonly #container: HTMLElement;
  #committed = '';
  #open: Block[] = [];

  constructor(container: HTMLElement) {
    this.#container = container;
  }

  /** @param done whether this is all of the text: everything is then committed and code is coloured */
  set(source: string, done: boolean): void {
    const text = source.replace(/\r\n?/g, '\n');
    try {
      if (text.length <= MAX_MARKDOWN) {
        this.#setMarkdown(text, done);
        return;
      }
    } catch {
      // Nested deeper than the stack: no honest text is.
    }
    this.#setPlain(text);
  }

  #setMarkdown(text: string, done: boolean): void {
    if (!text.startsWith(this.#committed)) {
      this.#reset();
    }
    const tail = text.slice(this.#committed.length);
    const tokens = lexMarkdown(tail);
    this.#draw(tokens, done);
    // A lexer that normalised something would make the next tail begin at the wrong place.
    const faithful = tail.startsWith(tokens.map(token => token.raw).join(''));
    const keep = done ? 0 : OPEN_BLOCKS;
    while (faithful && this.#open.length > keep) {
      const block = this.#open.shift();
      this.#committed += block?.raw ?? '';
      if (block?.element) {
        colourBlock(block.element);
      }
    }
  }

  #draw(tokens: readonly Token[], done: boolean): void {
    tokens.forEach((token, index) => {
      const known = this.#open[index];
      if (known?.raw === token.raw) {
        return;
      }
      if (!done && known?.element && growCode(known.element, known.raw, token)) {
        known.raw = token.raw;
        return;
      }
      const element = blockElement(token);
      const next = this.#open.slice(index + 1).find(block => block.element)?.element;
      known?.element?.remove();
      if (element) {
        this.#container.insertBefore(element, next ?? null);
      }
      this.#open[index] = { raw: token.raw, ...(element ? { element } : {}) };
    });
    for (const gone of this.#open.splice(tokens.length)) {
      gone.element?.remove();
    }
  }

  #setPlain(text: string): void {
    this.#reset();
    const pre = document.createElement('pre');
    pre.className = 'plain';
    pre.textContent = text;
    this.#container.append(pre);
  }

  #reset(): void {
    this.#committed = '';
    this.#open = [];
    this.#container.replaceChildren();
  }
}

function blockElement(token: Token): HTMLElement | undefined {
  const fragment = renderBlock(token);
  if (fragment.childNodes.length === 0) {
    return undefined;
  }
  const element = document.createElement('div');
  element.className = 'block';
  element.append(fragment);
  decorateBlock(element);
  return element;
}

/** The common case of a long block: a line of code was added. Only the text node changes. */
function growCode(element: HTMLElement, before: string, token: Token): boolean {
  if (token.type !== 'code' || !before.startsWith('```') || !token.raw.startsWith(before)) {
    return false;
  }
  const code = element.querySelector('pre > code');
  const text: unknown = token['text'];
  // The first line names the language; while it is being written, the block is drawn anew.
  if (!code || typeof text !== 'string' || !before.includes('\n')) {
    return false;
  }
  code.textContent = `${text}\n`;
  return true;
}
