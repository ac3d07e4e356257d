import { createHash } from 'node:crypto';
import type { Hunk } from '../../../protocol/review.ts';

/*
 * Hunks of a text file, on bytes: whatever the encoding and the ends of lines, what is put together again is what was
 * there. A hunk is a run of lines of one side that stands for a run of lines of the other; between hunks both are equal. A
 * count of 0 is a place between two lines: before the line `start`.
 */

/** A hunk as the diff has it: its lines with their signs. */
export interface RawHunk extends Omit<Hunk, 'id'> {
  body: Buffer;
}

const NEWLINE = 10;

/** The lines with their ends; the last may have none. */
export function splitLines(content: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < content.length;) {
    const end = content.indexOf(NEWLINE, at);
    const next = end < 0 ? content.length : end + 1;
    lines.push(content.subarray(at, next));
    at = next;
  }
  return lines;
}

/** Reads the hunks of one file's part of a `diff -U0`, which begins with its header lines. */
export function parseHunks(section: Buffer): RawHunk[] {
  const hunks: RawHunk[] = [];
  let open: { ranges: Omit<RawHunk, 'body'>; from: number } | undefined;
  const close = (end: number): void => {
    if (open) {
      hunks.push({ ...open.ranges, body: section.subarray(open.from, end) });
    }
  };
  for (let at = 0; at < section.length;) {
    const end = section.indexOf(NEWLINE, at);
    const next = end < 0 ? section.length : end + 1;
    // In a hunk every line begins with one of "+-\"; a header is never mistaken for a line of the file.
    const ranges =
      section[at] === 0x40 ? parseRanges(section.toString('latin1', at, Math.min(next, at + 100))) : undefined;
    if (ranges) {
      close(at);
      open = { ranges, from: next };
    }
    at = next;
  }
  close(section.length);
  return hunks;
}

function parseRanges(line: string): Omit<RawHunk, 'body'> | undefined {
  const match = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
  if (!match) {
    return undefined;
  }
  const oldCount = Number(match[2] ?? 1);
  const newCount = Number(match[4] ?? 1);
  // git names the line before an empty range, and counts from 1.
  return {
    oldStart: Number(match[1]) - (oldCount === 0 ? 0 : 1),
    oldCount,
    newStart: Number(match[3]) - (newCount === 0 ? 0 : 1),
    newCount,
  };
}

/**
 * Gives hunks their names: path, lines out and lines in, and where several are the same, which of how many. So a name stays
 * good when lines elsewhere in the file move, and names nothing any more when one of several equal hunks was decided:
 * the one that is meant cannot be told then.
 */
export function nameHunks(path: string, hunks: readonly RawHunk[]): Hunk[] {
  const hashes = hunks.map(({ body }) => createHash('sha256').update(`${path}\0`).update(body).digest('base64url'));
  const totals = new Map<string, number>();
  for (const hash of hashes) {
    totals.set(hash, (totals.get(hash) ?? 0) + 1);
  }
  const seen = new Map<string, number>();
  return hunks.map(({ body: _body, ...ranges }, index) => {
    const hash = hashes[index] ?? '';
    const number = (seen.get(hash) ?? 0) + 1;
    seen.set(hash, number);
    const total = totals.get(hash) ?? 1;
    return { id: total === 1 ? hash.slice(0, 22) : `${hash.slice(0, 22)}.${number}of${total}`, ...ranges };
  });
}

/** The old content with some of the hunks taken in. */
export function withHunks(oldContent: Buffer, newContent: Buffer, hunks: readonly Hunk[]): Buffer {
  const oldLines = splitLines(oldContent);
  const newLines = splitLines(newContent);
  const parts: Buffer[] = [];
  let at = 0;
  for (const hunk of hunks.toSorted((one, other) => one.oldStart - other.oldStart || one.newStart - other.newStart)) {
    parts.push(...oldLines.slice(at, hunk.oldStart), ...newLines.slice(hunk.newStart, hunk.newStart + hunk.newCount));
    at = hunk.oldStart + hunk.oldCount;
  }
  parts.push(...oldLines.slice(at));
  return Buffer.concat(parts);
}

/** The new content with some of the hunks taken out: what the old one has stands there again. */
export function withoutHunks(oldContent: Buffer, newContent: Buffer, hunks: readonly Hunk[]): Buffer {
  return withHunks(
    newContent,
    oldContent,
    hunks.map(({ id, oldStart, oldCount, newStart, newCount }) => ({
      id,
      oldStart: newStart,
      oldCount: newCount,
      newStart: oldStart,
      newCount: oldCount,
    })),
  );
}
