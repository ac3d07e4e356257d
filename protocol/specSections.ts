/*
 * Which lines of a spec's text are its own, and which belong to a section of free Markdown. A heading inside a fenced block
 * of code is code.
 */

export const CHECKS_HEADING = '### Checks';

const CONTROL = /[^\P{Cc}\n\t]|[\u2028\u2029]/u;

/** Tells, line after line, whether a line is inside a fenced block of code (its fences too). */
export class FenceReader {
  #open: string | undefined;

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  read(line: string): boolean {
    const fence = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line);
    const [, marks = '', rest = ''] = fence ?? [];
    if (this.#open !== undefined) {
      if (marks.startsWith(this.#open) && rest.trim() === '') {
        this.#open = undefined;
      }
      return true;
    }
    if (marks !== '' && !(marks.startsWith('`') && rest.includes('`'))) {
      this.#open = marks;
      return true;
    }
    return false;
  }
}

/** What a line outside of code begins. */
export function structureOf(line: string): 'title' | 'item' | 'checks' | undefined {
  if (/^#(?:[ \t]|$)/.test(line)) {
    return 'title';
  }
  if (/^##(?:[ \t]|$)/.test(line)) {
    return 'item';
  }
  return line.trimEnd() === CHECKS_HEADING ? 'checks' : undefined;
}

/** Why a text cannot be a section of a spec; undefined when it can. */
export function sectionProblem(text: string): string | undefined {
  if (text === '') {
    return undefined;
  }
  if (CONTROL.test(text)) {
    return 'it has control characters';
  }
  const lines = text.split('\n');
  if (lines[0]?.trim() === '' || lines.at(-1)?.trim() === '') {
    return 'it begins or ends with an empty line';
  }
  const fences = new FenceReader();
  const heading = lines.find(line => !fences.read(line) && structureOf(line) !== undefined);
  if (heading !== undefined) {
    return `it has the heading "${heading}", which would begin another part of the spec`;
  }
  return fences.isOpen ? 'it has a block of code that is never closed' : undefined;
}

/** The text as a section: what would begin another part is quoted, what is open is closed. For texts of an agent. */
export function asSection(text: string): string {
  const fences = new FenceReader();
  const lines = text
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .split('\n')
    .map(line => (!fences.read(line) && structureOf(line) !== undefined ? `\\${line}` : line));
  while (lines[0]?.trim() === '') {
    lines.shift();
  }
  while (lines.at(-1)?.trim() === '') {
    lines.pop();
  }
  const joined = lines.join('\n');
  return sectionProblem(joined) === undefined ? joined : joined.replace(/^( {0,3})(?=`{3}|~{3})/gm, '$1\\');
}
