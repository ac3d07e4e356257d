import { idPattern } from '../../../protocol/ids.ts';

/** What a lens or a row of a tree is about: a file of a review, or a hunk of it. */
export interface ReviewTarget {
  sessionId: string;
  path: string;
  hunk?: string;
}

const SESSION = idPattern('ses');

/** The target that a menu, a lens or another extension passes; undefined when it passes none. */
export function readTarget(argument: unknown): ReviewTarget | undefined {
  if (typeof argument !== 'object' || argument === null || !('sessionId' in argument) || !('path' in argument)) {
    return undefined;
  }
  const { sessionId, path } = argument;
  const hunk = 'hunk' in argument ? argument.hunk : undefined;
  return typeof sessionId === 'string' && SESSION.test(sessionId) && typeof path === 'string'
    ? { sessionId, path, ...(typeof hunk === 'string' ? { hunk } : {}) }
    : undefined;
}
