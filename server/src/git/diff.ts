import type { FileChange } from '../../../protocol/callParts.ts';
import type { ChangeStats } from '../../../protocol/events.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { git, splitRecords } from './git.ts';
import type { Mirror } from './mirror.ts';
import { isCommitId } from './refs.ts';
import { isPackageManifest, sensitiveManifest, sensitivePath } from './sensitive.ts';
import { isLink, isSubmodule, linkLeaves, parseRawEntries, SUBMODULE, type RawEntry } from './treeEntries.ts';

/** Textual diffs of larger files are not counted or shown; they are binary as far as a reader is concerned. */
const HARMLESS_DIFF = ['--no-ext-diff', '--no-textconv', '--no-color', '-M', '-l1000'];
/** Manifests and link targets that are looked into. */
const MAX_INSPECTED_BYTES = 1_000_000;

/**
 * The files that differ between two commits.
 * @throws `invalid_params` when one is not a commit id, `git_failed` when one is not in the mirror
 */
export async function listChanges(
  mirror: Mirror,
  from: string,
  to: string,
): Promise<{ files: FileChange[]; stats: ChangeStats }> {
  requireCommits(from, to);
  const args = ['diff-tree', '-r', '-z', '--raw', '--numstat', '--no-abbrev', ...HARMLESS_DIFF, from, to, '--'];
  const records = splitRecords(await git(args, { gitDir: mirror.path }));
  const { entries, next } = parseRawEntries(records);
  const counts = parseNumstat(records.slice(next));
  const reasons = await sensitiveContents(mirror, entries);
  const files = entries.map(entry => toFileChange(entry, counts.get(entry.path), reasons.get(entry.path)));
  return {
    files,
    stats: {
      files: files.length,
      insertions: files.reduce((sum, file) => sum + file.insertions, 0),
      deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    },
  };
}

/** The unified diff, cut after a whole line when it is longer than `maxBytes`. */
export async function diffText(
  mirror: Mirror,
  from: string,
  to: string,
  maxBytes: number,
): Promise<{ diff: string; truncated: boolean }> {
  requireCommits(from, to);
  const output = await git(['diff-tree', '-r', '-p', ...HARMLESS_DIFF, from, to, '--'], {
    gitDir: mirror.path,
    maxOutputBytes: maxBytes + 1,
    onTooMuch: 'cut',
  });
  if (output.length <= maxBytes) {
    return { diff: output.toString('utf8'), truncated: false };
  }
  const end = output.lastIndexOf(10, maxBytes - 1) + 1;
  return { diff: output.toString('utf8', 0, end), truncated: true };
}

export interface FileAt {
  exists: boolean;
  content: Buffer;
  bytes: number;
  mode: string;
  blob: string | null;
  tooLarge: boolean;
}

/**
 * A file as it is in a commit. A folder is not a file; a submodule is one without content. `content` is empty when
 * `tooLarge`.
 */
export async function readFileAt(mirror: Mirror, commit: string, path: string, maxBytes: number): Promise<FileAt> {
  requireCommits(commit);
  const missing = { exists: false, content: Buffer.alloc(0), bytes: 0, mode: '000000', blob: null, tooLarge: false };
  // git would resolve dots and slashes; a path of ours has one spelling.
  if (path.includes('\0') || path.split('/').some(part => part === '' || part === '.' || part === '..')) {
    return missing;
  }
  const listed = await git(['ls-tree', '-z', '--long', '--full-tree', commit, '--', path], { gitDir: mirror.path });
  const [line = ''] = splitRecords(listed);
  const [, mode = '', type = '', id = '', size = ''] = /^(\d{6}) (\w+) ([0-9a-f]+) +(\d+|-)\t/.exec(line) ?? [];
  if (type === 'commit') {
    return { ...missing, exists: true, mode };
  }
  if (type !== 'blob') {
    return missing;
  }
  const bytes = Number(size);
  if (bytes > maxBytes) {
    return { ...missing, exists: true, bytes, mode, blob: id, tooLarge: true };
  }
  const content = await git(['cat-file', 'blob', id], { gitDir: mirror.path, maxOutputBytes: bytes });
  return { exists: true, content, bytes, mode, blob: id, tooLarge: false };
}

type Counts = { binary: boolean; insertions: number; deletions: number };

function parseNumstat(records: string[]): Map<string, Counts> {
  const counts = new Map<string, Counts>();
  for (let at = 0; at < records.length; at++) {
    const [insertions = '', deletions = '', ...name] = (records[at] ?? '').split('\t');
    const path = name.join('\t');
    // Of a rename the two names follow as records of their own.
    const key = path === '' ? (records[at + 2] ?? '') : path;
    at += path === '' ? 2 : 0;
    counts.set(key, {
      binary: insertions === '-',
      insertions: Number(insertions) || 0,
      deletions: Number(deletions) || 0,
    });
  }
  return counts;
}

function toFileChange(entry: RawEntry, counts: Counts | undefined, contentReason: string | undefined): FileChange {
  const sensitive =
    sensitivePath(entry.path) ??
    (entry.oldPath === undefined ? undefined : sensitivePath(entry.oldPath)) ??
    (isSubmodule(entry) ? 'It points at a commit of another repository' : contentReason);
  return {
    path: entry.path,
    ...(entry.oldPath === undefined ? {} : { oldPath: entry.oldPath }),
    status: statusOf(entry),
    binary: counts?.binary ?? false,
    insertions: counts?.insertions ?? 0,
    deletions: counts?.deletions ?? 0,
    mode: entry.mode,
    oldMode: entry.oldMode,
    ...(hasContent(entry.mode, entry.id) ? { blob: entry.id } : {}),
    ...(hasContent(entry.oldMode, entry.oldId) ? { oldBlob: entry.oldId } : {}),
    ...(sensitive === undefined ? {} : { sensitive }),
  };
}

function statusOf(entry: RawEntry): FileChange['status'] {
  switch (entry.status.charAt(0)) {
    case 'A':
      return 'added';
    case 'D':
      return 'deleted';
    case 'R':
      return 'renamed';
    case 'T':
      return 'typeChanged';
    default:
      return 'modified';
  }
}

/** Reasons that only the content shows, by path. */
async function sensitiveContents(mirror: Mirror, entries: RawEntry[]): Promise<Map<string, string>> {
  const reasons = new Map<string, string>();
  for (const entry of entries) {
    if (isLink(entry)) {
      const target = await readBlob(mirror, entry.id);
      if (target === undefined || linkLeaves(entry.path, target)) {
        reasons.set(entry.path, 'It is a link to a place outside the repository');
      }
    } else if (isPackageManifest(entry.path)) {
      const [before, after] = await Promise.all([readBlob(mirror, entry.oldId), readBlob(mirror, entry.id)]);
      const reason = sensitiveManifest(before, after);
      if (reason !== undefined) {
        reasons.set(entry.path, reason);
      }
    }
  }
  return reasons;
}

/** Text of a small blob; undefined for none. Of a large one the start, which then does not parse. */
async function readBlob(mirror: Mirror, id: string): Promise<string | undefined> {
  if (isAbsent(id)) {
    return undefined;
  }
  const content = await git(['cat-file', 'blob', id], {
    gitDir: mirror.path,
    maxOutputBytes: MAX_INSPECTED_BYTES,
    onTooMuch: 'cut',
  });
  return content.toString('utf8');
}

/** A submodule's id is that of a commit. */
function hasContent(mode: string, id: string): boolean {
  return !isAbsent(id) && mode !== SUBMODULE;
}

/** How git names the content of a file that is not there. */
function isAbsent(id: string): boolean {
  return /^0+$/.test(id);
}

function requireCommits(...commits: string[]): void {
  const wrong = commits.find(commit => !isCommitId(commit));
  if (wrong !== undefined) {
    throw new SandpiperError('invalid_params', `"${wrong}" is not a commit id.`);
  }
}
