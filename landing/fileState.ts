import { createHash } from 'node:crypto';
import { lstat, readlink } from 'node:fs/promises';
import { hashFile } from './download.ts';

/** What is at a path of a folder. */
export type FileState =
  | { kind: 'absent' }
  | { kind: 'file'; executable: boolean; bytes: number; sha256: string; readOnly?: boolean }
  | { kind: 'link'; target: string }
  | { kind: 'folder' }
  /** A submodule, a socket, a device. */
  | { kind: 'other' };

export const ABSENT: FileState = { kind: 'absent' };

/** Reads what is at a path, without following a link there. A path through a file is absent. */
export async function readState(path: string): Promise<FileState> {
  const found = await lstat(path).catch((error: unknown) => {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  });
  if (!found) {
    return ABSENT;
  }
  if (found.isFile()) {
    const state = stateOfFile(found.mode, found.size, await hashFile(path));
    return (found.mode & 0o200) === 0 ? { ...state, readOnly: true } : state;
  }
  if (found.isSymbolicLink()) {
    return { kind: 'link', target: await readlink(path) };
  }
  return { kind: found.isDirectory() ? 'folder' : 'other' };
}

/** As a file of these bytes would be. */
export function stateOfBytes(content: Uint8Array, executable: boolean): FileState {
  return stateOfFile(executable ? 0o755 : 0o644, content.length, createHash('sha256').update(content).digest('hex'));
}

function stateOfFile(mode: number, bytes: number, sha256: string): FileState & { kind: 'file' } {
  return { kind: 'file', executable: (mode & 0o100) !== 0, bytes, sha256 };
}

/** Whether two states are the same to git. */
export function sameState(one: FileState, other: FileState): boolean {
  if (one.kind === 'file' && other.kind === 'file') {
    return one.executable === other.executable && sameContent(one, other);
  }
  return one.kind === 'link' && other.kind === 'link'
    ? one.target === other.target
    : one.kind === other.kind && one.kind === 'absent';
}

export function sameContent(one: FileState, other: FileState): boolean {
  return one.kind === 'file' && other.kind === 'file' && one.sha256 === other.sha256 && one.bytes === other.bytes;
}

export function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
