import { GlobError } from './globError.ts';
import { compileSegment, type SegmentMatcher } from './globSegment.ts';

/** A pattern as in a `.gitignore`, about files; what lies in a folder that it names is meant too. */
export interface Glob {
  /** As it was written. */
  pattern: string;
  matches(path: string): boolean;
}

export interface GlobOptions {
  /** Also what differs in letter case or in how Unicode spells it: some file systems take that for the same file. */
  loosely: boolean;
}

/** Any number of folders. */
const ANY_FOLDERS = '**';
type Part = SegmentMatcher | typeof ANY_FOLDERS;

/**
 * Takes a pattern apart. Matching takes time in proportion to the product of the lengths, whatever the pattern is.
 * @throws GlobError
 */
export function compileGlob(pattern: string, { loosely }: GlobOptions): Glob {
  const onlyFolders = pattern.endsWith('/');
  const body = pattern.replace(/^\//, '').replace(/\/$/, '');
  refuseMistakes(pattern, body);
  const names = (loosely ? foldCase(body) : body).split('/');
  const parts = names.map((name, at): Part => {
    // Behind a last slash it stands for what is in the folder.
    return name === ANY_FOLDERS && at < names.length - 1 ? ANY_FOLDERS : compileSegment(name);
  });
  const isAnchored = pattern.startsWith('/') || names.length > 1;
  const whole: readonly Part[] = isAnchored ? parts : [ANY_FOLDERS, ...parts];
  return {
    pattern,
    matches: path => matchesSome(whole, (loosely ? foldCase(path) : path).split('/'), onlyFolders),
  };
}

/** Whether the file itself or a folder that it is in fits. */
function matchesSome(parts: readonly Part[], names: readonly string[], onlyFolders: boolean): boolean {
  // How many parts may have been used up by the names so far.
  let states = withoutFolders(parts, [0]);
  for (const [at, name] of names.entries()) {
    const next = new Set<number>();
    for (const state of states) {
      const part = parts[state];
      if (part === ANY_FOLDERS) {
        next.add(state);
      } else if (part !== undefined && part(name)) {
        next.add(state + 1);
      }
    }
    states = withoutFolders(parts, [...next]);
    if (states.has(parts.length) && (!onlyFolders || at < names.length - 1)) {
      return true;
    }
  }
  return false;
}

/** With the states that are reached when `**` stands for no folder at all. */
function withoutFolders(parts: readonly Part[], states: readonly number[]): Set<number> {
  const reached = new Set<number>();
  for (let state of states) {
    reached.add(state);
    while (parts[state] === ANY_FOLDERS) {
      reached.add(++state);
    }
  }
  return reached;
}

function refuseMistakes(pattern: string, body: string): void {
  if (body === '') {
    throw new GlobError('names no file');
  }
  if (pattern.startsWith('!')) {
    throw new GlobError('begins with "!", and there are no exceptions; write "\\\\!" for a name that begins so');
  }
  if (/\p{Cc}/u.test(pattern)) {
    throw new GlobError('has a control character');
  }
  const names = body.split('/');
  if (names.includes('')) {
    throw new GlobError('has an empty folder name');
  }
  if (names.some(name => name === '.' || name === '..')) {
    throw new GlobError('has "." or ".." as a folder; patterns begin at the root of the repository');
  }
}

function foldCase(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
