import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import { gitFailed, tryGit } from './git.ts';
import type { Mirror } from './mirror.ts';

/** As the old value of a ref: it must not exist yet. */
export const NO_COMMIT = '0'.repeat(40);

/** A lock that is older than any update takes was left behind by a relay that was killed. */
const STALE_LOCK_MS = 10_000;

/** The commit that a turn ended with. */
export function checkpointRef(sessionId: string, turn: number): string {
  if (!Number.isSafeInteger(turn) || turn < 0) {
    throw new SandpiperError('invalid_params', `A turn is a whole number, not ${turn}.`);
  }
  return `${sessionRefs(sessionId)}/turn/${turn}`;
}

/** The files as they were before a restore, named by the seq of its start; `again` while it is repeated. */
export function restoreRef(sessionId: string, seq: number, again = false): string {
  if (!Number.isSafeInteger(seq) || seq < 1) {
    throw new SandpiperError('invalid_params', `A restore is named by a whole number, not ${seq}.`);
  }
  return `${sessionRefs(sessionId)}/${again ? 'restoring' : 'before'}/${seq}`;
}

/** The agent's files with what the base branch had since, named by the seq of the event that asked for it. */
export function ontoRef(sessionId: string, seq: number): string {
  if (!Number.isSafeInteger(seq) || seq < 1) {
    throw new SandpiperError('invalid_params', `An update is named by a whole number, not ${seq}.`);
  }
  return `${sessionRefs(sessionId)}/onto/${seq}`;
}

/** What the human has taken. */
export function acceptedRef(sessionId: string): string {
  return `${sessionRefs(sessionId)}/accepted`;
}

/** What is on offer. */
export function proposedRef(sessionId: string): string {
  return `${sessionRefs(sessionId)}/proposed`;
}

/** The agent's files after a submitted review was brought into them. */
export function appliedRef(sessionId: string): string {
  return `${sessionRefs(sessionId)}/applied`;
}

/** What others pushed to the session's branch. */
export function theirsRef(sessionId: string): string {
  return `${sessionRefs(sessionId)}/theirs`;
}

/** What the branch that a session's work goes into had when it was last looked at. */
export function intoRef(sessionId: string): string {
  return `${sessionRefs(sessionId)}/into`;
}

/** Keeps a commit that sessions started from, with all that it needs. */
export function baseRef(commit: string): string {
  return `refs/bases/${commit}`;
}

/** The files of the sandbox when it was let go of or its session was deleted. */
export function savedRef(sessionId: string): string {
  return `${sessionRefs(sessionId)}/saved`;
}

/** Begins the name of every ref of a session. */
export function sessionRefs(sessionId: string): string {
  if (!/^[a-z0-9_]+$/.test(sessionId)) {
    throw new SandpiperError('invalid_params', 'A session id has only small letters, digits and underscores.');
  }
  return `refs/sandpiper/${sessionId}`;
}

/** Whether git takes this as the full name of a ref; no control character at all, where git allows some. */
export function isRefName(name: string): boolean {
  return (
    name.startsWith('refs/') &&
    name.length <= 500 &&
    !/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|\/$|\.$/u.test(name) &&
    name.split('/').every(part => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))
  );
}

/** Whether this may be a branch's short name. A leading dash is a ref to git but an option to people's tools. */
export function isBranchName(name: string): boolean {
  return !name.startsWith('-') && name !== 'HEAD' && name !== '@' && isRefName(`refs/heads/${name}`);
}

export function isCommitId(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/**
 * Points a ref at a commit.
 * @param old what the ref must be now: a commit, or NO_COMMIT when it must not exist; undefined overwrites
 * @throws `conflict` when the ref is something else
 */
export async function updateRef(mirror: Mirror, ref: string, commit: string, old?: string): Promise<void> {
  if (!isRefName(ref) || !isCommitId(commit) || (old !== undefined && !isCommitId(old))) {
    throw new SandpiperError('invalid_params', `Cannot point "${ref}" at "${commit}": not a ref or not a commit.`);
  }
  const args = ['update-ref', '--no-deref', ref, commit, ...(old === undefined ? [] : [old])];
  let result = await tryGit(args, { gitDir: mirror.path });
  if (result.code !== 0 && (await dropStaleLock(join(mirror.path, `${ref}.lock`)))) {
    result = await tryGit(args, { gitDir: mirror.path });
  }
  if (result.code === 0) {
    return;
  }
  const now = await readRef(mirror, ref);
  if (old !== undefined && now !== commit && (now ?? NO_COMMIT) !== old) {
    throw new SandpiperError('conflict', `${ref} is at ${now ?? 'nothing'}, not at ${old}.`, {
      hint: 'Something else moved it. Reload and try again.',
    });
  }
  if (now !== commit) {
    throw gitFailed(args, result);
  }
}

/** The commit that a ref points at, or undefined when there is no such ref. Read from the mirror's files: a git costs more. */
export async function readRef(mirror: Mirror, ref: string): Promise<string | undefined> {
  if (!isRefName(ref)) {
    throw new SandpiperError('invalid_params', `"${ref}" is not the name of a ref.`);
  }
  const loose = await readFile(join(mirror.path, ref), 'utf8').catch(() => '');
  if (isCommitId(loose.trimEnd())) {
    return loose.trimEnd();
  }
  const packed = await readFile(join(mirror.path, 'packed-refs'), 'utf8').catch(() => '');
  return packed
    .split('\n')
    .find(line => line.endsWith(` ${ref}`) && isCommitId(line.slice(0, 40)))
    ?.slice(0, 40);
}

async function dropStaleLock(path: string): Promise<boolean> {
  const lock = await stat(path).catch(() => undefined);
  if (!lock || Date.now() - lock.mtimeMs < STALE_LOCK_MS) {
    return false;
  }
  await rm(path, { force: true });
  return true;
}
