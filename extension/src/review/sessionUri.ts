import type { Side } from '../../../protocol/calls.ts';
import { idPattern } from '../../../protocol/ids.ts';

/**
 * A file of a session at one side. `commit` (the first eight digits) only makes tabs of different checkpoints distinct:
 * the content is always that of the side as it is now, so an open diff follows the agent's next turn.
 */
export interface SessionFile {
  sessionId: string;
  side: Side;
  commit: string;
  /** Within the repository, with forward slashes and without a leading one. */
  path: string;
}

/** The two parts of a `sandpiper:` URI that say something. */
export interface UriParts {
  authority: string;
  path: string;
}

const SESSION = idPattern('ses');
const COMMIT = /^[0-9a-f]{8}$/;

/**
 * `sandpiper://<session>.<side>.<commit8>/<path>`. The path is that in the repository and nothing else: the editor shows
 * it as it is, and takes two sides whose paths differ for a renamed file.
 */
export function toUriParts({ sessionId, side, commit, path }: SessionFile): UriParts {
  return { authority: `${sessionId}.${side}.${commit.slice(0, 8)}`, path: `/${path}` };
}

/** The file that a `sandpiper:` URI names; undefined when it names none. */
export function fromUriParts({ authority, path }: UriParts): SessionFile | undefined {
  const [sessionId = '', side = '', commit = '', ...more] = authority.split('.');
  const [root, ...parts] = path.split('/');
  const inRepository = parts.length > 0 && parts.every(part => part !== '' && part !== '.' && part !== '..');
  return root === '' &&
    inRepository &&
    SESSION.test(sessionId) &&
    isSide(side) &&
    COMMIT.test(commit) &&
    more.length === 0
    ? { sessionId, side, commit, path: parts.join('/') }
    : undefined;
}

function isSide(text: string): text is Side {
  return text === 'base' || text === 'accepted' || text === 'proposed';
}
