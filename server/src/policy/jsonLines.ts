/*
 * JSON that a person wrote: with comments, and with the line of everything, so that what is wrong can be pointed at. A key
 * that stands twice is wrong: of two rules nobody may guess which counts.
 */

export interface JsonLines {
  value: unknown;
  /** The line of what stands at a path; of a member, the line of its key. */
  lineOf: (path: readonly PropertyKey[]) => number;
}

/** `message` has no subject and no line: "a value is missing". */
export class JsonError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

const MAX_DEPTH = 8;
const WORDS: Readonly<Record<string, unknown>> = { true: true, false: false, null: null };
/** Space, line ends and comments; one after the other, each tried in one way. */
const BETWEEN = /(?:[ \t\r\n]|\/\/[^\n]*|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/)*/y;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"/y;
const SCALAR = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[a-z]+/y;

/** @throws JsonError */
export function parseJsonLines(text: string): JsonLines {
  const reader = new Reader(text);
  const value = reader.document();
  return {
    value,
    lineOf: path => {
      for (let length = path.length; length >= 0; length--) {
        const line = reader.lines.get(keyOf(path.slice(0, length)));
        if (line !== undefined) {
          return line;
        }
      }
      return 1;
    },
  };
}

function keyOf(path: readonly PropertyKey[]): string {
  return JSON.stringify(path.map(String));
}

class Reader {
  readonly #text: string;
  #at = 0;
  #line = 1;
  readonly lines = new Map<string, number>();

  constructor(text: string) {
    this.#text = text.replace(/^\uFEFF/, '');
  }

  document(): unknown {
    this.#skip();
    const value = this.#value([]);
    this.#skip();
    if (this.#at < this.#text.length) {
      throw this.#error('there is something behind the end');
    }
    return value;
  }

  #value(path: readonly (string | number)[]): unknown {
    if (path.length > MAX_DEPTH) {
      throw this.#error(`it is nested deeper than ${MAX_DEPTH}`);
    }
    if (!this.lines.has(keyOf(path))) {
      this.lines.set(keyOf(path), this.#line);
    }
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(path);
      case '[':
        return this.#array(path);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #object(path: readonly (string | number)[]): unknown {
    const members: [string, unknown][] = [];
    this.#list('}', () => {
      if (this.#text[this.#at] !== '"') {
        throw this.#error('a name in double quotes is missing');
      }
      const line = this.#line;
      const name = this.#string();
      if (members.some(([other]) => other === name)) {
        throw new JsonError(`"${shown(name)}" stands there twice`, line);
      }
      this.lines.set(keyOf([...path, name]), line);
      this.#skip();
      this.#expect(':');
      this.#skip();
      members.push([name, this.#value([...path, name])]);
    });
    // Not by assignment: `__proto__` is a name like any other.
    return Object.fromEntries(members);
  }

  #array(path: readonly (string | number)[]): unknown[] {
    const elements: unknown[] = [];
    this.#list(']', () => elements.push(this.#value([...path, elements.length])));
    return elements;
  }

  /** What is between two brackets, with commas between; one behind the last is let pass. */
  #list(end: '}' | ']', element: () => void): void {
    this.#at++;
    this.#skip();
    while (this.#text[this.#at] !== end) {
      element();
      this.#skip();
      if (this.#text[this.#at] !== end) {
        this.#expect(',');
        this.#skip();
      }
    }
    this.#at++;
  }

  #string(): string {
    const raw = this.#match(STRING);
    try {
      const text: unknown = raw === undefined ? undefined : JSON.parse(raw);
      if (typeof text === 'string') {
        return text;
      }
    } catch {
      // An escape that JSON does not have, or a character that must be escaped.
    }
    throw this.#error('a text is not well formed or does not end on its line');
  }

  #scalar(): unknown {
    const raw = this.#match(SCALAR);
    if (raw === undefined) {
      throw this.#error(this.#at >= this.#text.length ? 'it ends too early' : 'a value is missing or not well formed');
    }
    if (/^[a-z]/.test(raw)) {
      if (!Object.hasOwn(WORDS, raw)) {
        throw this.#error(`"${shown(raw)}" is no value; texts stand in double quotes`);
      }
      return WORDS[raw];
    }
    return Number(raw);
  }

  #expect(char: string): void {
    if (this.#text[this.#at] !== char) {
      throw this.#error(`"${char}" is missing`);
    }
    this.#at++;
  }

  #skip(): void {
    const skipped = this.#match(BETWEEN) ?? '';
    this.#line += skipped.split('\n').length - 1;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #error(message: string): JsonError {
    return new JsonError(message, this.#line);
  }
}

function shown(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ').slice(0, 60);
}
