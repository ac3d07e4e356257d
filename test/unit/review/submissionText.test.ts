import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  MAX_SUBMISSION_BYTES,
  submissionText,
  type ReviewContents,
  type ReviewedFile,
} from '../../../server/src/review/submissionText.ts';

const hunk = (body: string, oldStart = 0, newStart = 0) => {
  const lines = body.split('\n');
  const count = (sign: string) => lines.filter(line => line.startsWith(sign)).length;
  return { oldStart, oldCount: count('-'), newStart, newCount: count('+'), body: Buffer.from(body) };
};
const none: ReviewContents = { text: '', rejections: [], edits: [], comments: [] };

describe('the text of a submitted review', () => {
  it('says what is rejected and why, what the reviewer wrote, what is commented, and how to answer', () => {
    const { text, shown } = submissionText({
      text: 'Nearly there.',
      rejections: [
        { label: 'R1', path: 'list.txt', reason: 'Nobody asked for it.', hunks: [hunk('-ONE\n+one\n', 0, 0)] },
        { label: 'R2', path: 'extra.txt', hunks: [], whole: 'The file is taken out.' },
      ],
      edits: [{ label: 'E1', path: 'list.txt', hunks: [hunk('+mine\n', 9, 9)] }],
      comments: [{ label: 'C1', place: 'list.txt, line 3', quote: 'three', text: 'Why not 3?' }],
    });
    assert.deepEqual(shown, ['R1', 'R2', 'E1', 'C1']);
    assert.equal(
      text,
      `This is my review of your changes.

Nearly there.

# Rejected

I rejected these changes. Do not make them again, in this form or in another, unless I ask for it. Lines with - are yours and are rejected; lines with + stand in their place.

## R1 list.txt

Why: Nobody asked for it.

\`\`\`diff
@@ -1 +1 @@
-ONE
+one
\`\`\`

## R2 extra.txt

The file is taken out.

# My own edits

I changed these lines myself. Keep them as they are. Lines with - are yours; lines with + are mine and stand in their place.

## E1 list.txt

\`\`\`diff
@@ -9,0 +10 @@
+mine
\`\`\`

# Comments

## C1 list.txt, line 3

> three

Why not 3?

# How to answer

End your last message with a block like this one, with one line for each of C1, R1, R2:

\`\`\`review
C1: addressed - what you did, in a few words
\`\`\`

Say \`declined\` in place of \`addressed\`, and why, where you do not do what I ask, and \`outdated\` where it does not apply any more.
`,
    );
  });

  it('has a fence that no line of the diff closes', () => {
    const { text } = submissionText({
      ...none,
      edits: [{ label: 'E1', path: 'a.md', hunks: [hunk('+````\n+```\n')] }],
    });
    assert.match(text, /^`````diff\n@@ .*\n\+````\n\+```\n`````$/m);
  });

  it('is bounded whatever is in it, and says what it leaves out', () => {
    const body = fc
      .record({ lines: fc.integer({ min: 1, max: 3000 }), width: fc.integer({ min: 0, max: 400 }) })
      .map(({ lines, width }) => hunk(`+${'ä'.repeat(width)}\n`.repeat(lines)));
    const file = fc.record({
      path: fc.string({ minLength: 1, maxLength: 300 }),
      reason: fc.string({ maxLength: 2000 }),
      hunks: fc.array(body, { minLength: 1, maxLength: 3 }),
    });
    const files = (letter: string) =>
      fc
        .array(file, { maxLength: 30 })
        .chain(some =>
          fc.constantFrom(
            some,
            some.flatMap(one => Array.from({ length: 20 }, () => one)),
          ),
        )
        .map(all => all.map((one, index): ReviewedFile => ({ ...one, label: `${letter}${index + 1}` })));
    fc.assert(
      fc.property(
        files('R'),
        files('E'),
        fc.array(fc.string({ maxLength: 4000 }), { maxLength: 20 }),
        (rejections, edits, quotes) => {
          const comments = quotes.map((quote, index) => ({ label: `C${index + 1}`, place: 'a', quote, text: 'no' }));
          const { text, shown } = submissionText({ text: '', rejections, edits, comments });
          assert.ok(Buffer.byteLength(text) <= MAX_SUBMISSION_BYTES, `${Buffer.byteLength(text)} bytes`);
          const isWhole = [...rejections, ...edits].every(({ hunks }) =>
            hunks.every(one => text.includes(one.body.toString())),
          );
          assert.equal(isWhole, !/(not shown here)/.test(text));
          assert.deepEqual(
            shown.filter(label => label.startsWith('C')),
            comments.map(({ label }) => label),
          );
        },
      ),
      { numRuns: 20 },
    );
  });
});
