import { idPattern } from '../../../protocol/ids.ts';

/** A file or folder of one commit: always the same content, so it can be kept and restored after a reload. */
export interface TreePlace {
  sessionId: string;
  /** A full id. */
  commit: string;
  /** Within the repository, with forward slashes and without a leading one; '' is the root. */
  path: string;
}

const SESSION = idPattern('ses');
const COMMIT = /^[0-9a-f]{40}$/;

/** `sandpiper-tree://<session>.<commit>/<path>` */
export function toTreeParts({ sessionId, commit, path }: TreePlace): { authority: string; path: string } {
  return { authority: `${sessionId}.${commit}`, path: `/${path}` };
}

/** What such a URI names; undefined when it names nothing. */
export function fromTreeParts(uri: { authority: string; path: string }): TreePlace | undefined {
  const [sessionId = '', commit = '', ...more] = uri.authority.split('.');
  const [root, ...parts] = uri.path.split('/');
  const isRoot = parts.length === 0 || (parts.length === 1 && parts[0] === '');
  const isInside = parts.every(part => part !== '' && part !== '.' && part !== '..');
  return SESSION.test(sessionId) && COMMIT.test(commit) && more.length === 0 && root === '' && (isRoot || isInside)
    ? { sessionId, commit, path: isRoot ? '' : parts.join('/') }
    : undefined;
}
