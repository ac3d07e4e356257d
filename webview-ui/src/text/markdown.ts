import { Lexer, type MarkedToken, type Token, type Tokens } from 'marked';
import { decodeEntities } from './entities.ts';
import { linkTarget } from './links.ts';

/*
 * The agent's text is hostile (design, section 7). It is never turned into markup: Markdown's tokens become nodes by
 * createElement and text by text nodes, so there is nothing for an HTML parser to be fooled with. What looks like HTML is
 * shown as it stands. Links have no address that a browser could follow: a click is answered in linkClicks.ts. Images stay
 * links, because fetching one tells a stranger what was read here. Behind this stands the page's policy.
 */

export function lexMarkdown(text: string): Token[] {
  return Lexer.lex(text, { gfm: true });
}

/** One block as nodes; empty for blank space and link definitions. */
export function renderBlock(token: Token): DocumentFragment {
  // The last block may have ended in an error.
  nesting = 0;
  const fragment = document.createDocumentFragment();
  append(fragment, [token]);
  return fragment;
}

type Renderer<T extends MarkedToken['type']> = (token: Extract<MarkedToken, { type: T }>) => Node | undefined;

const renderers: { [T in MarkedToken['type']]: Renderer<T> } = {
  blockquote: token => element('blockquote', token.tokens),
  br: () => document.createElement('br'),
  checkbox: token => text(token.checked ? '☑ ' : '☐ '),
  code: token => codeBlock(token),
  codespan: token => element('code', [], token.text),
  def: () => undefined,
  del: token => element('del', token.tokens),
  em: token => element('em', token.tokens),
  escape: token => text(token.text),
  heading: token => heading(token),
  hr: () => document.createElement('hr'),
  html: token => (token.block ? rawBlock(token.text) : text(token.text)),
  image: token => link(token.href, `[image${token.text === '' ? '' : `: ${token.text}`}]`, []),
  link: token => link(token.href, token.text, token.tokens),
  list: token => list(token),
  list_item: token => listItem(token),
  paragraph: token => element('p', token.tokens),
  space: () => undefined,
  strong: token => element('strong', token.tokens),
  table: token => table(token),
  text: token => (token.tokens ? fragmentOf(token.tokens) : text(decodeEntities(token.text))),
};

/** Deeper is shown as it stands. A browser that lays out a thousand nested elements may end with the whole page. */
const MAX_NESTING = 64;
let nesting = 0;

function append(parent: Node, tokens: readonly Token[]): void {
  nesting++;
  for (const token of tokens) {
    const node = isKnown(token) && nesting <= MAX_NESTING ? render(token) : text(token.raw);
    if (node) {
      parent.appendChild(node);
    }
  }
  nesting--;
}

function render<T extends MarkedToken['type']>(token: Extract<MarkedToken, { type: T }>): Node | undefined {
  const renderer: Renderer<T> = renderers[token.type as T];
  return renderer(token);
}

function isKnown(token: Token): token is MarkedToken {
  return Object.hasOwn(renderers, token.type);
}

function text(content: string): Text {
  return document.createTextNode(content);
}

function fragmentOf(tokens: readonly Token[]): DocumentFragment {
  const fragment = document.createDocumentFragment();
  append(fragment, tokens);
  return fragment;
}

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  tokens: readonly Token[],
  content = '',
): HTMLElementTagNameMap[K] {
  const node = document.createElement(name);
  node.append(content);
  append(node, tokens);
  return node;
}

/** One level for all, below the session's own: an agent that begins with a small heading leaves no level out. */
function heading(token: Tokens.Heading): Node {
  const node = element('h3', token.tokens);
  node.className = `depth${token.depth}`;
  return node;
}

function rawBlock(content: string): Node {
  const paragraph = element('p', [], content.trimEnd());
  paragraph.className = 'raw';
  return paragraph;
}

function codeBlock(token: Tokens.Code): Node {
  const pre = document.createElement('pre');
  const code = element('code', [], `${token.text}\n`);
  const language = /^[\w+#.-]+/.exec(token.lang ?? '')?.[0];
  if (language !== undefined) {
    code.dataset['language'] = language;
  }
  const path = codePath(token.lang ?? '');
  if (path !== undefined) {
    code.dataset['path'] = path;
  }
  pre.append(code);
  return pre;
}

/** The file that the first line of a block names: `ts src/a.ts`, `ts title="src/a.ts"`. */
function codePath(info: string): string | undefined {
  const path = /\s(?:(?:title|file|filename|path)=)?["']?([\w@.-]+(?:\/[\w@.-]+)*\.\w+)["']?\s*$/.exec(info)?.[1];
  return path === undefined || path.length > 500 ? undefined : path;
}

function link(href: string, plain: string, tokens: readonly Token[]): Node {
  const address = decodeEntities(href);
  const inner = tokens.length > 0 ? fragmentOf(tokens) : text(plain);
  const target = linkTarget(address);
  if (target === undefined) {
    // Nothing to follow: the address is shown, so that a reader sees what the text hid.
    const shown = document.createDocumentFragment();
    shown.append(inner, ...(plain === href ? [] : [' ', element('code', [], address)]));
    return shown;
  }
  const anchor = document.createElement('a');
  anchor.setAttribute('role', 'link');
  anchor.tabIndex = 0;
  if (target.kind === 'web') {
    anchor.dataset['url'] = target.url;
    anchor.title = target.url;
  } else {
    anchor.dataset['file'] = target.path;
    anchor.title = target.path;
  }
  anchor.append(inner);
  return anchor;
}

function list(token: Tokens.List): Node {
  if (!token.ordered) {
    return element('ul', token.items);
  }
  const ordered = element('ol', token.items);
  if (typeof token.start === 'number') {
    ordered.start = token.start;
  }
  return ordered;
}

function listItem(token: Tokens.ListItem): Node {
  const item = element('li', token.tokens);
  item.classList.toggle('task', token.task);
  return item;
}

function table(token: Tokens.Table): Node {
  const node = document.createElement('table');
  node.createTHead().append(row(token.header));
  const body = node.createTBody();
  body.append(...token.rows.map(row));
  return node;
}

function row(cells: readonly Tokens.TableCell[]): HTMLElement {
  const node = document.createElement('tr');
  for (const cell of cells) {
    const drawn = element(cell.header ? 'th' : 'td', cell.tokens);
    if (cell.align) {
      drawn.classList.add(cell.align);
    }
    node.append(drawn);
  }
  return node;
}
