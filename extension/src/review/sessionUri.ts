import type { Side } from '../../../protocol/calls.ts';
import { idPattern } from '../../../protocol/ids.ts';

/** What a document may show: a side, as it is now, or what the agent left after a turn, which stays as it is. */
export type ShownTree = Side | `turn:${number}`;

/** A file of a session at one side. An open document follows decisions and the agent's next turn. */
export interface SessionFile {
  sessionId: string;
  side: ShownTree;
  /** Within the repository, with forward slashes and without a leading one. */
  path: string;
}

/** The two parts of a `sandpiper:` URI that say something. */
export interface UriParts {
  authority: string;
  path: string;
}

const SESSION = idPattern('ses');

/**
 * `sandpiper://<session>.<side>/<path>`, a turn as `turn-3`. The path is that in the repository and nothing else: the editor shows it as it
 * is, and takes two sides whose paths differ for a renamed file.
 */
export function toUriParts({ sessionId, side, path }: SessionFile): UriParts {
  return { authority: `${sessionId}.${side.replace(':', '-')}`, path: `/${path}` };
}

/** The file that a `sandpiper:` URI names; undefined when it names none. */
export function fromUriParts({ authority, path }: UriParts): SessionFile | undefined {
  const [sessionId = '', name = '', ...more] = authority.split('.');
  const [root, ...parts] = path.split('/');
  const inRepository = parts.length > 0 && parts.every(part => part !== '' && part !== '.' && part !== '..');
  const side = readTree(name);
  return root === '' && inRepository && SESSION.test(sessionId) && side !== undefined && more.length === 0
    ? { sessionId, side, path: parts.join('/') }
    : undefined;
}

function readTree(text: string): ShownTree | undefined {
  if (text === 'base' || text === 'accepted' || text === 'proposed') {
    return text;
  }
  const turn = /^turn-(\d{1,9})$/.exec(text)?.[1];
  return turn === undefined ? undefined : `turn:${Number(turn)}`;
}
