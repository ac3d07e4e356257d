import { DEFAULT_CHECK_SECONDS, specSchema, type Spec, type SpecCheck } from './spec.ts';
import { CHECKS_HEADING, FenceReader, structureOf } from './specSections.ts';

/*
 * The text form of a spec, which a repository can hold as a file: Markdown with a small strict grammar (docs/specs.md).
 * `readSpec(writeSpec(spec))` gives the same spec.
 */

export interface SpecProblem {
  /** From 1. */
  line: number;
  message: string;
}

export type ReadSpec = { spec: Spec; problems: [] } | { spec?: undefined; problems: [SpecProblem, ...SpecProblem[]] };

export function writeSpec(spec: Spec): string {
  const parts = [`# ${spec.title}`, spec.goal];
  for (const { title, text, checks } of spec.items) {
    parts.push(`## ${title}`, text, CHECKS_HEADING, checks.map(writeCheck).join('\n'));
  }
  return `${parts.filter(part => part !== '').join('\n\n')}\n`;
}

function writeCheck(check: SpecCheck): string {
  switch (check.kind) {
    case 'command': {
      const exits = check.exitCode === 0 ? '' : ` exits ${check.exitCode}`;
      return `- command: ${codeSpan(check.command)}${exits}${within(check.timeoutSeconds)}`;
    }
    case 'test':
      return `- test: ${codeSpan(check.path)} by ${codeSpan(check.command)}${within(check.timeoutSeconds)}`;
    case 'file':
      return `- file: ${codeSpan(check.path)}`;
    case 'question':
      return `- question: ${check.question}`;
  }
}

function within(seconds: number): string {
  if (seconds === DEFAULT_CHECK_SECONDS) {
    return '';
  }
  return seconds % 60 === 0 ? ` within ${seconds / 60} min` : ` within ${seconds} s`;
}

/** As Markdown has it: as many backticks around it as no run inside has. */
function codeSpan(text: string): string {
  const runs = new Set((text.match(/`+/g) ?? []).map(run => run.length));
  let length = 1;
  while (runs.has(length)) {
    length++;
  }
  const fence = '`'.repeat(length);
  const pad = /^`|`$/.test(text) ? ' ' : '';
  return `${fence}${pad}${text}${pad}${fence}`;
}

/** A line with its number. */
interface Line {
  number: number;
  text: string;
}

interface RawItem {
  heading: Line;
  text: Line[];
  checks: { line: Line; check: unknown }[];
  hasChecks: boolean;
}

/** Reads a text as a spec, or says what is wrong with it, by line. */
export function readSpec(text: string): ReadSpec {
  const problems: SpecProblem[] = [];
  const raw = new SpecReader(problems).read(text);
  const candidate = {
    title: raw.title === undefined ? '' : headingText(raw.title, 1),
    goal: sectionText(raw.goal),
    items: raw.items.map(item => ({
      title: headingText(item.heading, 2),
      text: sectionText(item.text),
      checks: item.checks.map(({ check }) => check),
    })),
  };
  const parsed = specSchema.safeParse(candidate);
  if (!parsed.success && problems.length === 0) {
    problems.push(...parsed.error.issues.map(issue => located(issue, raw)));
  }
  const [first, ...rest] = problems.toSorted((one, other) => one.line - other.line);
  if (first) {
    return { problems: [first, ...rest] };
  }
  return parsed.success
    ? { spec: parsed.data, problems: [] }
    : { problems: [{ line: 1, message: 'This is not a spec.' }] };
}

interface RawSpec {
  title: Line | undefined;
  goal: Line[];
  items: RawItem[];
}

class SpecReader {
  readonly #problems: SpecProblem[];
  readonly #spec: RawSpec = { title: undefined, goal: [], items: [] };
  /** Where the block of code that is open began. */
  #fence: Line | undefined;

  constructor(problems: SpecProblem[]) {
    this.#problems = problems;
  }

  read(text: string): RawSpec {
    const fences = new FenceReader();
    const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
    for (const [index, content] of lines.entries()) {
      const line = { number: index + 1, text: content };
      const item = this.#spec.items.at(-1);
      const wasOpen = fences.isOpen;
      // No block of code can begin among the checks, so that a mark there is a bad check and swallows nothing.
      if (!item?.hasChecks && fences.read(content)) {
        this.#fence = wasOpen ? this.#fence : line;
        this.#free(line);
      } else {
        this.#take(line, item);
      }
    }
    if (fences.isOpen) {
      this.#report(this.#fence ?? { number: lines.length, text: '' }, 'This block of code is never closed.');
    }
    if (!this.#spec.title && this.#problems.length === 0) {
      this.#problems.push({ line: 1, message: 'A spec begins with its title, as "# Title".' });
    } else if (this.#spec.title && this.#spec.items.length === 0 && !fences.isOpen) {
      this.#report(this.#spec.title, 'This spec has no item. An item begins with "## What is to be done".');
    }
    for (const { heading, checks, hasChecks } of this.#spec.items) {
      if (checks.length === 0) {
        const why = hasChecks ? 'No check stands below "### Checks"' : 'This item has no "### Checks"';
        this.#report(heading, `${why}. Add a line like "- command: \`npm test\`".`);
      }
    }
    return this.#spec;
  }

  #take(line: Line, item: RawItem | undefined): void {
    switch (structureOf(line.text)) {
      case 'title':
        if (this.#spec.title) {
          this.#report(line, 'A spec has one title. An item begins with "##".');
        } else {
          this.#spec.title = line;
        }
        return;
      case 'item':
        this.#spec.items.push({ heading: line, text: [], checks: [], hasChecks: false });
        return;
      case 'checks':
        this.#beginChecks(line, item);
        return;
      case undefined:
        if (item?.hasChecks) {
          this.#check(line, item);
        } else {
          this.#free(line);
        }
    }
  }

  #beginChecks(line: Line, item: RawItem | undefined): void {
    if (!item || item.hasChecks) {
      this.#report(line, item ? 'An item has one "### Checks".' : 'Checks belong to an item, which begins with "##".');
      return;
    }
    item.hasChecks = true;
  }

  #check(line: Line, item: RawItem): void {
    if (line.text.trim() === '') {
      return;
    }
    const check = readCheck(line.text);
    if (typeof check === 'string') {
      this.#report(line, check);
    }
    // Also one that cannot be read, so that its item is not said to have none.
    item.checks.push({ line, check });
  }

  #free(line: Line): void {
    const item = this.#spec.items.at(-1);
    if (!this.#spec.title && line.text.trim() !== '') {
      this.#problems.push({ line: line.number, message: 'Nothing may stand before the title ("# Title").' });
      return;
    }
    (item ? item.text : this.#spec.goal).push(line);
  }

  #report(line: Line, message: string): void {
    this.#problems.push({ line: line.number, message });
  }
}

/** The check that a line says, or what is wrong with it. */
function readCheck(text: string): object | string {
  const [, kind, rest = ''] = /^[-*] (\w+):(?:[ \t]+(.*))?$/.exec(text.trimEnd()) ?? [];
  switch (kind) {
    case 'command':
      return readCommand(rest);
    case 'test':
      return readTest(rest);
    case 'file': {
      const span = readSpan(rest);
      return span?.rest === '' ? { kind, path: span.text } : 'A file is named like this: - file: `docs/guide.md`';
    }
    case 'question':
      return { kind, question: rest.trim() };
    default:
      return 'A check is one line: "- command:", "- test:", "- file:" or "- question:".';
  }
}

function readCommand(rest: string): object | string {
  const span = readSpan(rest);
  const match = span && /^(?: exits (\d{1,3}))?(?: within (\d{1,5}) (s|min))?$/.exec(span.rest);
  if (!span || !match) {
    return 'A command is written like this: - command: `npm test`, and may go on with "exits 1" and "within 5 min".';
  }
  return { kind: 'command', command: span.text, exitCode: Number(match[1] ?? 0), ...limit(match[2], match[3]) };
}

function readTest(rest: string): object | string {
  const file = readSpan(rest);
  const command = file?.rest.startsWith(' by ') ? readSpan(file.rest.slice(4)) : undefined;
  const match = command && /^(?: within (\d{1,5}) (s|min))?$/.exec(command.rest);
  if (!file || !command || !match) {
    return 'A test is written like this: - test: `test/guide.test.js` by `npm test`, and may go on with "within 5 min".';
  }
  return { kind: 'test', path: file.text, command: command.text, ...limit(match[1], match[2]) };
}

function limit(count: string | undefined, unit: string | undefined): { timeoutSeconds?: number } {
  return count === undefined ? {} : { timeoutSeconds: Number(count) * (unit === 'min' ? 60 : 1) };
}

/** The code at the beginning of a text, and what comes after it. */
function readSpan(text: string): { text: string; rest: string } | undefined {
  const [fence] = /^`+/.exec(text) ?? [''];
  if (fence === '') {
    return undefined;
  }
  for (const run of text.slice(fence.length).matchAll(/`+/g)) {
    if (run[0].length === fence.length) {
      const content = text.slice(fence.length, fence.length + run.index);
      return { text: content.trim(), rest: text.slice(2 * fence.length + run.index) };
    }
  }
  return undefined;
}

function headingText({ text }: Line, level: number): string {
  return text.slice(level).trim();
}

function sectionText(lines: readonly Line[]): string {
  const texts = lines.map(({ text }) => text);
  const first = texts.findIndex(text => text.trim() !== '');
  const last = texts.findLastIndex(text => text.trim() !== '');
  return first === -1 ? '' : texts.slice(first, last + 1).join('\n');
}

/** Says where in the text a fault of the whole is. */
function located({ path, message }: { path: PropertyKey[]; message: string }, raw: RawSpec): SpecProblem {
  const [part, index, field, check] = path;
  const item = part === 'items' && typeof index === 'number' ? raw.items[index] : undefined;
  const { what, line } = item
    ? locatedInItem(item, field, check)
    : { what: part === 'goal' ? 'text' : 'spec', line: (part === 'goal' ? raw.goal[0] : undefined) ?? raw.title };
  return { line: line?.number ?? 1, message: `This ${what} cannot be used: ${message}.` };
}

function locatedInItem(item: RawItem, field: unknown, check: unknown): { what: string; line: Line } {
  if (field === 'checks' && typeof check === 'number') {
    return { what: 'check', line: item.checks[check]?.line ?? item.heading };
  }
  return field === 'text' ? { what: 'text', line: item.text[0] ?? item.heading } : { what: 'item', line: item.heading };
}
