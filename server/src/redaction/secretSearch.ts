import { spellings } from './encodings.ts';

export interface Secret {
  /** What a person reads in its place: `model key`. */
  name: string;
  value: string;
}

export interface Redaction {
  text: string;
  /** How often each secret was taken out, by name. */
  found: Map<string, number>;
}

/** Between the characters of one value so many line ends may stand, with their indentation: tools break lines. */
const MAX_GAP = 8;
const CHARS = 128;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const BACKSLASH = 92;
const [LETTER_N, LETTER_R] = [110, 114];

/**
 * Finds values in texts, in all their spellings, in one pass whatever their number: an automaton that knows after every
 * character which of them may have begun. Line ends inside a value are looked over.
 */
export class SecretSearch {
  /** By state and character the next state. */
  #next = new Int32Array(CHARS);
  /** Of what ends in a state, the length; 0: nothing does. */
  #ends: number[] = [0];
  #names: string[] = [''];
  /** How many characters lie between the beginning and a state. */
  #depth: number[] = [0];
  /** As many places as the longest value has characters; the oldest are written over. */
  readonly #places: Int32Array;
  readonly isEmpty: boolean;

  constructor(secrets: readonly Secret[]) {
    const words = secrets.flatMap(({ name, value }) =>
      spellings(value)
        .filter(isAscii)
        .map(word => ({ name, word })),
    );
    this.isEmpty = words.length === 0;
    const longest = Math.max(1, ...words.map(({ word }) => word.length));
    this.#places = new Int32Array(2 ** Math.ceil(Math.log2(longest + 1)));
    this.#build(words);
  }

  /** Everything that is found replaced. */
  redact(text: string): Redaction {
    const found = new Map<string, number>();
    if (this.isEmpty) {
      return { text, found };
    }
    const { parts, rest } = this.#scan(text, found, true);
    return { text: parts.length === 0 ? text : parts.join('') + rest, found };
  }

  /**
   * As far as it can be said without what follows.
   * @returns `text`, and `held`: the end of the given text that may be the beginning of something
   */
  redactStart(given: string): Redaction & { held: string } {
    const found = new Map<string, number>();
    if (this.isEmpty) {
      return { text: given, held: '', found };
    }
    const { parts, rest, open } = this.#scan(given, found, false);
    const sure = rest.length - open;
    return { text: parts.join('') + rest.slice(0, sure), held: rest.slice(sure), found };
  }

  /**
   * @returns `parts`: what was passed up to the last finding, with the markers; `rest`: what is behind it, `open` characters
   *   of which are the beginning of something
   */
  #scan(text: string, found: Map<string, number>, isWhole: boolean): { parts: string[]; rest: string; open: number } {
    const parts: string[] = [];
    let done = 0;
    let state = 0;
    let gap = 0;
    // Where the characters that count stand, of those that the state is about.
    const places = this.#places;
    const mask = places.length - 1;
    let count = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (state !== 0 && this.#step(state, code) === 0) {
        if (code === BACKSLASH && !isWhole && at === text.length - 1) {
          // Perhaps half a line end.
          break;
        }
        const width = gapAt(text, at, code, gap);
        if (width > 0) {
          gap += width;
          at += width - 1;
          state = gap > MAX_GAP ? 0 : state;
          continue;
        }
      }
      state = this.#step(state, code);
      gap = 0;
      if (state === 0) {
        continue;
      }
      places[count++ & mask] = at;
      const length = this.#ends[state] ?? 0;
      if (length > 0) {
        const name = this.#names[state] ?? '';
        parts.push(text.slice(done, places[(count - length) & mask] ?? at), `[redacted: ${name}]`);
        found.set(name, (found.get(name) ?? 0) + 1);
        done = at + 1;
        state = 0;
      }
    }
    const depth = this.#depth[state] ?? 0;
    const begun = depth === 0 ? text.length : (places[(count - depth) & mask] ?? text.length);
    return { parts, rest: text.slice(done), open: text.length - Math.max(begun, done) };
  }

  #step(state: number, code: number): number {
    return code < CHARS ? (this.#next[state * CHARS + code] ?? 0) : 0;
  }

  #build(words: readonly { name: string; word: string }[]): void {
    const children: Map<number, number>[] = [new Map()];
    for (const { name, word } of words) {
      let state = 0;
      for (let at = 0; at < word.length; at++) {
        const code = word.charCodeAt(at);
        const known = children[state]?.get(code);
        if (known !== undefined) {
          state = known;
          continue;
        }
        children.push(new Map());
        children[state]?.set(code, children.length - 1);
        state = children.length - 1;
        this.#depth[state] = at + 1;
        this.#ends[state] = 0;
        this.#names[state] = '';
      }
      this.#ends[state] = word.length;
      this.#names[state] = name;
    }
    this.#connect(children);
  }

  /** Breadth first: where a state has no way on, it goes on as its longest end that begins something does. */
  #connect(children: readonly Map<number, number>[]): void {
    const next = new Int32Array(children.length * CHARS);
    const ends = new Int32Array(children.length);
    const queue = [0];
    for (const state of queue) {
      const end = ends[state] ?? 0;
      if ((this.#ends[state] ?? 0) === 0 && (this.#ends[end] ?? 0) > 0) {
        this.#ends[state] = this.#ends[end] ?? 0;
        this.#names[state] = this.#names[end] ?? '';
      }
      if (state !== 0) {
        next.copyWithin(state * CHARS, end * CHARS, (end + 1) * CHARS);
      }
      for (const [code, child] of children[state] ?? []) {
        const place = state * CHARS + code;
        ends[child] = state === 0 ? 0 : (next[place] ?? 0);
        next[place] = child;
        queue.push(child);
      }
    }
    this.#next = next;
  }
}

/** How many characters at this place are a line end, written or escaped, or the indentation behind one. */
function gapAt(text: string, at: number, code: number, gap: number): number {
  if (code === NEWLINE || code === RETURN || (code === SPACE && gap > 0)) {
    return 1;
  }
  const following = text.charCodeAt(at + 1);
  return code === BACKSLASH && (following === LETTER_N || following === LETTER_R) ? 2 : 0;
}

function isAscii(text: string): boolean {
  return /^\p{ASCII}*$/u.test(text);
}
