import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/*
 * Which texts the sources use. A text is written out where it is used: `t('…')` and `vscode.l10n.t('…')`, `count(n, 'file')`
 * whose texts are `{0} file` and `{0} files`, `lazy('…')`, and `noun="line"`, which is counted. So no parser is needed.
 */

/** Where a text stands, and what is wrong with it when it cannot be read. */
export interface FoundKey {
  key: string;
  file: string;
  line: number;
}

export interface Keys {
  keys: FoundKey[];
  problems: string[];
}

const CALL = /(?<![\w.])(?:vscode\.l10n\.|l10n\.)?(t|count|lazy)\(/g;
const NOUN = /(?<=\s)noun="([^"]+)"/g;
/** Here the three are made. */
const DEFINITIONS = /protocol\/(text|relayTexts)\.ts$|components\/(lazy|foldable)\.tsx$/;

/** The keys of the source files in these folders; paths are from the root of the repository. */
export async function keysIn(root: string, folders: readonly string[]): Promise<Keys> {
  const all: Keys = { keys: [], problems: [] };
  for (const folder of folders) {
    const names = await readdir(join(root, folder), { recursive: true });
    for (const name of names.filter(each => /\.tsx?$/.test(each)).sort()) {
      const file = `${folder}/${name.replaceAll('\\', '/')}`;
      const { keys, problems } = keysOf(file, await readFile(join(root, file), 'utf8'));
      all.keys.push(...keys);
      all.problems.push(...problems);
    }
  }
  return all;
}

export function keysOf(file: string, source: string): Keys {
  const keys: FoundKey[] = [];
  const problems: string[] = [];
  const lineOf = (index: number): number => source.slice(0, index).split('\n').length;
  const add = (index: number, ...found: string[]): void => {
    keys.push(...found.map(key => ({ key, file, line: lineOf(index) })));
  };
  for (const { 0: start, 1: name, index } of source.matchAll(CALL)) {
    if (isInComment(source, index) || source.slice(0, index).endsWith('function ')) {
      continue;
    }
    const given = callArguments(source, index + start.length).map(literalOf);
    const [first, second, third] = given;
    if (name === 'count' && second !== undefined) {
      add(index, `{0} ${second}`, `{0} ${third ?? `${second}s`}`);
    } else if (name !== 'count' && first !== undefined) {
      add(index, first);
    } else if (!DEFINITIONS.test(file)) {
      problems.push(`${file}:${lineOf(index)}: ${name}() takes its text written out, in quotes`);
    }
  }
  for (const { 1: noun = '', index } of source.matchAll(NOUN)) {
    add(index, `{0} ${noun}`, `{0} ${noun}s`);
  }
  return { keys, problems };
}

/** Whether a line comment or the inside of a block comment stands here. */
function isInComment(source: string, index: number): boolean {
  return /^\s*(\/\/|\/?\*)/.test(source.slice(source.lastIndexOf('\n', index) + 1, index));
}

/** The sources of a call's arguments, from behind its parenthesis on. */
function callArguments(source: string, from: number): string[] {
  const found: string[] = [];
  let depth = 0;
  let begin = from;
  for (let at = from; at < source.length; at++) {
    const char = source[at] ?? '';
    if (`'"\``.includes(char)) {
      at = endOfText(source, at);
    } else if ('([{'.includes(char)) {
      depth++;
    } else if (')]}'.includes(char) && depth-- === 0) {
      found.push(source.slice(begin, at).trim());
      return found.filter(argument => argument !== '');
    } else if (char === ',' && depth === 0) {
      found.push(source.slice(begin, at).trim());
      begin = at + 1;
    }
  }
  return found;
}

/** The index of the quote that ends a text. What a template has inside of `${}` may have texts of its own. */
function endOfText(source: string, from: number): number {
  const quote = source[from];
  let at = from + 1;
  while (at < source.length && source[at] !== quote) {
    if (source[at] === '\\') {
      at++;
    } else if (quote === '`' && source.startsWith('${', at)) {
      at = endOfBraces(source, at + 2);
    }
    at++;
  }
  return at;
}

function endOfBraces(source: string, from: number): number {
  let depth = 0;
  for (let at = from; at < source.length; at++) {
    const char = source[at] ?? '';
    if (`'"\``.includes(char)) {
      at = endOfText(source, at);
    } else if (char === '{') {
      depth++;
    } else if (char === '}' && depth-- === 0) {
      return at;
    }
  }
  return source.length;
}

/** What a text in single or double quotes says; undefined for anything else. */
function literalOf(source: string): string | undefined {
  const inside = /^(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")$/.exec(source);
  const text = inside?.[1] ?? inside?.[2];
  return text?.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_whole, code: string | undefined, char: string) =>
    code === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', 0: '\0' };
