import type { RawHunk } from './hunks.ts';

/*
 * A submitted review as text for the agent. Pure. It is never longer than MAX_SUBMISSION_BYTES: what has no room is cut
 * where it stands, and the text says so.
 */

export const MAX_SUBMISSION_BYTES = 64 * 1024;

/** Quoted lines of all comments together get this much. */
const QUOTES_BYTES = 10 * 1024;
const MAX_QUOTE_LINES = 12;
/** Kept free for the answer form and for what says that something was cut. */
const RESERVE_BYTES = 3 * 1024;
const MAX_NAMES_BYTES = 1024;

/** A file in which the reviewer has other lines than the agent. */
export interface ReviewedFile {
  label: string;
  path: string;
  reason?: string;
  /** `-` is the agent's, `+` the reviewer's. Empty: see `whole`. */
  hunks: readonly RawHunk[];
  /** What became of the whole file, in words: `The file was taken out.` */
  whole?: string;
}

export interface ReviewComment {
  label: string;
  /** `src/a.ts, line 3`, `the plan`, `your message` */
  place: string;
  quote: string;
  text: string;
}

export interface ReviewContents {
  text: string;
  rejections: readonly ReviewedFile[];
  edits: readonly ReviewedFile[];
  comments: readonly ReviewComment[];
}

/** @returns `shown`: the labels that the text has; the others had no room, and their paths are named as far as they have */
export function submissionText(contents: ReviewContents): { text: string; shown: string[] } {
  const { text, rejections, edits, comments } = contents;
  const parts = ['This is my review of your changes.', ...(text.trim() === '' ? [] : [text.trim()])];
  const said = commentParts(comments);
  const budget = MAX_SUBMISSION_BYTES - RESERVE_BYTES - bytesOf([...parts, ...said]);
  const rejected = fileParts(rejections, edits.length === 0 ? budget : Math.floor(budget / 2));
  const edited = fileParts(edits, budget - bytesOf(rejected.parts));
  if (rejections.length > 0) {
    parts.push('# Rejected', REJECTED, ...rejected.parts);
  }
  if (edits.length > 0) {
    parts.push('# My own edits', EDITED, ...edited.parts);
  }
  parts.push(...said);
  const shown = [...rejected.shown, ...edited.shown, ...comments.map(({ label }) => label)];
  const asked = [...comments.map(({ label }) => label), ...rejected.shown];
  if (asked.length > 0) {
    parts.push('# How to answer', answerForm(asked));
  }
  return { text: `${parts.join('\n\n')}\n`, shown };
}

const REJECTED =
  'I rejected these changes. Do not make them again, in this form or in another, unless I ask for it. Lines with - are yours ' +
  'and are rejected; lines with + stand in their place.';
const EDITED =
  'I changed these lines myself. Keep them as they are. Lines with - are yours; lines with + are mine and stand in their place.';

function answerForm(labels: readonly string[]): string {
  const [first = ''] = labels;
  const names = labels.length > 40 ? `every item from ${first} on` : labels.join(', ');
  return [
    `End your last message with a block like this one, with one line for ${labels.length === 1 ? first : `each of ${names}`}:`,
    '',
    '```review',
    `${first}: addressed - what you did, in a few words`,
    '```',
    '',
    'Say `declined` in place of `addressed`, and why, where you do not do what I ask, and `outdated` where it does not apply any more.',
  ].join('\n');
}

function commentParts(comments: readonly ReviewComment[]): string[] {
  if (comments.length === 0) {
    return [];
  }
  let left = QUOTES_BYTES;
  const parts = comments.map(({ label, place, quote, text }) => {
    const lines = quote.split('\n');
    const shown = lines.slice(0, MAX_QUOTE_LINES);
    while (shown.length > 0 && bytesOf(shown) > left) {
      shown.pop();
    }
    left -= bytesOf(shown);
    const cut = lines.length > shown.length ? [`> … ${countOf(lines.length - shown.length, 'more line')}`] : [];
    const quoted = quote === '' ? [] : [...shown.map(line => `> ${line}`), ...cut, ''];
    return [`## ${label} ${place}`, '', ...quoted, text].join('\n');
  });
  return ['# Comments', ...parts];
}

/** Every file gets what those before it left, and at least its even share. */
function fileParts(files: readonly ReviewedFile[], budget: number): { parts: string[]; shown: string[] } {
  const parts: string[] = [];
  const shown: string[] = [];
  let left = budget - MAX_NAMES_BYTES;
  for (const [index, file] of files.entries()) {
    const head = fileHead(file);
    const share = Math.max(Math.floor(left / (files.length - index)), Math.min(left, 1024));
    if (bytesOf([head]) + 200 > share) {
      break;
    }
    const part = [head, ...hunkLines(file, share - bytesOf([head]) - 200)].join('\n').trimEnd();
    parts.push(part);
    shown.push(file.label);
    left -= bytesOf([part]);
  }
  const rest = files.slice(shown.length);
  return { parts: rest.length === 0 ? parts : [...parts, namesOf(rest)], shown };
}

function fileHead({ label, path, reason, whole }: ReviewedFile): string {
  return [
    `## ${label} ${shownPath(path)}`,
    '',
    ...(reason === undefined ? [] : [`Why: ${reason}`, '']),
    ...(whole === undefined ? [] : [whole, '']),
  ].join('\n');
}

function hunkLines({ hunks }: ReviewedFile, room: number): string[] {
  if (hunks.length === 0) {
    return [];
  }
  const lines = hunks.flatMap(hunk => [rangeLine(hunk), ...hunk.body.toString('utf8').replace(/\n$/, '').split('\n')]);
  const shown: string[] = [];
  let used = 0;
  for (const line of lines) {
    used += Buffer.byteLength(line) + 1;
    if (used > room) {
      break;
    }
    shown.push(line);
  }
  const fence = '`'.repeat(Math.max(3, 1 + longestRun(shown)));
  const cut = lines.length - shown.length;
  return [
    `${fence}diff`,
    ...shown,
    fence,
    ...(cut === 0 ? [] : [`… ${countOf(cut, 'more line')} of this diff ${cut === 1 ? 'is' : 'are'} not shown here.`]),
  ];
}

function rangeLine({ oldStart, oldCount, newStart, newCount }: RawHunk): string {
  // As git writes it: counted from 1, and of no lines the one before.
  const range = (start: number, count: number) => `${count === 0 ? start : start + 1}${count === 1 ? '' : `,${count}`}`;
  return `@@ -${range(oldStart, oldCount)} +${range(newStart, newCount)} @@`;
}

function namesOf(files: readonly ReviewedFile[]): string {
  const names: string[] = [];
  let left = MAX_NAMES_BYTES - 200;
  for (const { path } of files) {
    left -= Buffer.byteLength(shownPath(path)) + 4;
    if (left < 0) {
      break;
    }
    names.push(`\`${shownPath(path)}\``);
  }
  const more = files.length - names.length;
  const list = more === 0 ? names : [...names, `${more} more`];
  return `The same holds for ${countOf(files.length, 'more file')} that ${files.length === 1 ? 'is' : 'are'} not shown here: ${list.join(', ')}.`;
}

function longestRun(lines: readonly string[]): number {
  return Math.max(0, ...lines.map(line => Math.max(0, ...(line.match(/`+/g) ?? []).map(run => run.length))));
}

/** With what joins them. */
function bytesOf(parts: readonly string[]): number {
  return parts.reduce((sum, part) => sum + Buffer.byteLength(part) + 2, 0);
}

/** A path may have any character but NUL; one line stays one line. */
export function shownPath(path: string): string {
  return /\p{Cc}/u.test(path) ? JSON.stringify(path) : path;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
