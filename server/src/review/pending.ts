import type { Hunk } from '../../../protocol/review.ts';
import type { FileChange } from '../../../protocol/callParts.ts';
import { listChanges } from '../git/diff.ts';
import { git, splitRecords } from '../git/git.ts';
import type { Mirror } from '../git/mirror.ts';
import { parseRawEntries } from '../git/treeEntries.ts';
import { Recent } from './recent.ts';
import { nameHunks, parseHunks, type RawHunk } from './hunks.ts';

/** A file that differs between the accepted and the proposed tree. */
export interface PendingFile extends FileChange {
  /** What can be decided one by one; a file without any is decided as a whole. */
  hunks: Hunk[];
}

/** Hunks are not counted in more text than this; those files are decided as a whole. */
const MAX_DIFF_BYTES = 64 * 1024 * 1024;
const SECTION = Buffer.from('diff --git ');
const NEWLINE_SECTION = Buffer.from('\ndiff --git ');
const END_OF_NAMES = Buffer.from('\0\0');

/** A decision moves one side, so that half of what is counted after it was counted before; then it is listed. */
const recent = new Recent<PendingFile[]>({ answers: 32, weight: 50_000 }, files => countPending(files).hunks);

/** What differs between two commits, with the hunks of files that are text on both sides. */
export async function listPending(mirror: Mirror, accepted: string, proposed: string): Promise<PendingFile[]> {
  if (accepted === proposed) {
    return [];
  }
  const files = await recent.get(`${mirror.path} ${accepted} ${proposed}`, () => compare(mirror, accepted, proposed));
  return [...files];
}

async function compare(mirror: Mirror, accepted: string, proposed: string): Promise<PendingFile[]> {
  const [{ files }, hunks] = await Promise.all([
    listChanges(mirror, accepted, proposed),
    readHunks(mirror, accepted, proposed),
  ]);
  return files.map(file => ({ ...file, hunks: hasHunks(file) ? (hunks.get(file.path) ?? []) : [] }));
}

/** How many decisions are left: one for every hunk, and one for a file that has none. */
export function countPending(files: readonly PendingFile[]): { files: number; hunks: number } {
  return {
    files: files.length,
    hunks: files.reduce((sum, { hunks }) => sum + Math.max(1, hunks.length), 0),
  };
}

/** Renames, links, submodules, and files that come or go are one decision: half of one makes no sense. */
function hasHunks(file: FileChange): boolean {
  return file.status === 'modified' && !file.binary && isRegular(file.mode) && isRegular(file.oldMode);
}

function isRegular(mode: string): boolean {
  return mode === '100644' || mode === '100755';
}

async function readHunks(mirror: Mirror, from: string, to: string): Promise<Map<string, Hunk[]>> {
  const raw = await readRawHunks(mirror, from, to);
  return new Map([...raw].map(([path, hunks]) => [path, nameHunks(path, hunks)]));
}

/** Hunks by path with their lines, of files that are on both sides under the same name. */
export async function readRawHunks(mirror: Mirror, from: string, to: string): Promise<Map<string, RawHunk[]>> {
  const what = ['-r', '--no-renames', '--diff-filter=M', '--no-ext-diff', '--no-textconv', '--no-color'];
  const form = ['--raw', '-z', '-p', '-U0', '--full-index'];
  const output = await git(['diff-tree', ...what, ...form, from, to, '--'], {
    gitDir: mirror.path,
    maxOutputBytes: MAX_DIFF_BYTES,
    onTooMuch: 'cut',
  });
  // The names come first, with all their bytes; an empty one ends them.
  const end = output.indexOf(END_OF_NAMES);
  if (end < 0) {
    return new Map();
  }
  const { entries } = parseRawEntries(splitRecords(output.subarray(0, end + 1)));
  const sections = splitSections(output.subarray(end + END_OF_NAMES.length));
  // The last one may be half a file.
  const whole = output.length >= MAX_DIFF_BYTES ? sections.slice(0, -1) : sections;
  return new Map(whole.map((section, index) => [entries[index]?.path ?? '', parseHunks(section)]));
}

/** With `-U0` no line of a file begins like a header, so a header is where a file begins. */
function splitSections(patch: Buffer): Buffer[] {
  const starts = patch.subarray(0, SECTION.length).equals(SECTION) ? [0] : [];
  for (let at = patch.indexOf(NEWLINE_SECTION); at >= 0; at = patch.indexOf(NEWLINE_SECTION, at + 1)) {
    starts.push(at + 1);
  }
  return starts.map((start, index) => patch.subarray(start, starts[index + 1]));
}
