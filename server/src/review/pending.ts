import type { Hunk } from '../../../protocol/review.ts';
import type { FileChange } from '../../../protocol/callParts.ts';
import { listChanges } from '../git/diff.ts';
import { git } from '../git/git.ts';
import type { Mirror } from '../git/mirror.ts';
import { nameHunks, parseHunks } from './hunks.ts';

/** A file that differs between the accepted and the proposed tree. */
export interface PendingFile extends FileChange {
  /** What can be decided one by one; a file without any is decided as a whole. */
  hunks: Hunk[];
}

/** Hunks are not counted in more text than this; those files are decided as a whole. */
const MAX_DIFF_BYTES = 64 * 1024 * 1024;
const SECTION = Buffer.from('diff --git ');
const NEWLINE_SECTION = Buffer.from('\ndiff --git ');

/** What differs between two commits, with the hunks of files that are text on both sides. */
export async function listPending(mirror: Mirror, accepted: string, proposed: string): Promise<PendingFile[]> {
  if (accepted === proposed) {
    return [];
  }
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

/** Hunks by path, of files that are on both sides under the same name. */
async function readHunks(mirror: Mirror, from: string, to: string): Promise<Map<string, Hunk[]>> {
  const options = ['-r', '--no-renames', '--diff-filter=M', '--no-ext-diff', '--no-textconv', '--no-color'];
  const [names, patch] = await Promise.all([
    git(['diff-tree', '-z', '--name-only', ...options, from, to, '--'], { gitDir: mirror.path }),
    git(['diff-tree', '-p', '-U0', '--full-index', ...options, from, to, '--'], {
      gitDir: mirror.path,
      maxOutputBytes: MAX_DIFF_BYTES,
      onTooMuch: 'cut',
    }),
  ]);
  const paths = names.toString('utf8').split('\0').slice(0, -1);
  const isCut = patch.length >= MAX_DIFF_BYTES;
  const sections = splitSections(patch);
  // The last one may be half a file.
  const whole = isCut ? sections.slice(0, -1) : sections;
  return new Map(
    whole.map((section, index) => [paths[index] ?? '', nameHunks(paths[index] ?? '', parseHunks(section))]),
  );
}

/** With `-U0` no line of a file begins like a header, so a header is where a file begins. */
function splitSections(patch: Buffer): Buffer[] {
  const starts = patch.subarray(0, SECTION.length).equals(SECTION) ? [0] : [];
  for (let at = patch.indexOf(NEWLINE_SECTION); at >= 0; at = patch.indexOf(NEWLINE_SECTION, at + 1)) {
    starts.push(at + 1);
  }
  return starts.map((start, index) => patch.subarray(start, starts[index + 1]));
}
