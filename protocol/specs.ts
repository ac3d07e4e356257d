import { SandpiperError } from './errors.ts';
import { structureOf } from './specSections.ts';

/* What every part says in the same way of specs as documents. */

export const NAMELESS_SPEC = 'Untitled spec';

/** What a list calls a text that may not be a spec yet. */
export function titleOfText(text: string): string {
  const line = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .find(candidate => structureOf(candidate) === 'title');
  const title = (line ?? '')
    .slice(1)
    .replace(/[\p{Cc}\u2028\u2029]/gu, '')
    .trim()
    .slice(0, 200);
  return title === '' ? NAMELESS_SPEC : title;
}

export function noSpec(specId: string, revision?: number): SandpiperError {
  return new SandpiperError(
    'not_found',
    revision === undefined ? `There is no spec ${specId}.` : `The spec ${specId} has no revision ${revision}.`,
    { hint: 'List the specs to find its id: `sandpiper spec list`.' },
  );
}

/** What begins a chat that is to end in a spec. */
export function specChat(wish: string): string {
  return `Help me to write a spec before anything is built. Look at the repository, ask me what you need to know, a few questions at a time, and say what you would do. Change no file. What I want:\n\n${wish}`;
}
