import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Hunk } from '../../../protocol/review.ts';
import { nameHunks, parseHunks, splitLines, withHunks, withoutHunks } from '../../../server/src/review/hunks.ts';

const SECTION = Buffer.from(
  [
    'diff --git a/f b/f',
    'index 1..2 100644',
    '--- a/f',
    '+++ b/f',
    '@@ -1 +1,2 @@ context',
    '-one',
    '+@@ -9 +9 @@ is a line of the file',
    '+uno',
    '@@ -3,0 +5 @@',
    '+more',
    '@@ -6,2 +7,0 @@',
    '-diff --git x',
    '-gone',
    '\\ No newline at end of file',
    '',
  ].join('\n'),
);

describe('hunks', () => {
  it('are read from a diff, wherever lines look like headers', () => {
    const ranges = parseHunks(SECTION).map(({ body: _body, ...rest }) => rest);
    assert.deepEqual(ranges, [
      { oldStart: 0, oldCount: 1, newStart: 0, newCount: 2 },
      { oldStart: 3, oldCount: 0, newStart: 4, newCount: 1 },
      { oldStart: 5, oldCount: 2, newStart: 7, newCount: 0 },
    ]);
  });

  it('keep their names when they move, and lose them when one of several equal ones is gone', () => {
    const at = (start: number, text: string) => ({
      oldStart: start,
      oldCount: 0,
      newStart: start,
      newCount: 1,
      body: Buffer.from(text),
    });
    const [moved] = nameHunks('f', [at(90, '+a\n')]);
    const [alone] = nameHunks('f', [at(3, '+a\n')]);
    const [elsewhere] = nameHunks('g', [at(3, '+a\n')]);
    assert.equal(moved?.id, alone?.id);
    assert.notEqual(alone?.id, elsewhere?.id);
    const twins = nameHunks('f', [at(3, '+a\n'), at(5, '+b\n'), at(9, '+a\n')]).map(({ id }) => id);
    assert.equal(new Set([...twins, alone?.id]).size, 4);
  });

  it('split text into lines that together are the text', () => {
    fc.assert(
      fc.property(bytes(), content => {
        const lines = splitLines(content);
        assert.deepEqual(Buffer.concat(lines), content);
        assert.ok(lines.every((line, index) => line.indexOf(10) === line.length - 1 || index === lines.length - 1));
      }),
    );
  });

  it('taken in all give the new text, out all the old one, and some in are the others out', () => {
    fc.assert(
      fc.property(twoTexts(), fc.infiniteStream(fc.boolean()), ({ before, after, hunks }, coins) => {
        assert.deepEqual(withHunks(before, after, hunks), after);
        assert.deepEqual(withoutHunks(before, after, hunks), before);
        const chosen = hunks.filter(() => coins.next().value === true);
        const others = hunks.filter(hunk => !chosen.includes(hunk));
        assert.deepEqual(withHunks(before, after, chosen), withoutHunks(before, after, others));
      }),
    );
  });
});

/** Few different bytes, so that ends of lines, carriage returns and broken UTF-8 are frequent. */
function bytes(): fc.Arbitrary<Buffer> {
  return fc.array(fc.constantFrom(10, 13, 97, 98, 0xc3, 0xff), { maxLength: 60 }).map(values => Buffer.from(values));
}

/** Two texts and the hunks between them, made together: equal stretches and different ones by turns. */
function twoTexts(): fc.Arbitrary<{ before: Buffer; after: Buffer; hunks: Hunk[] }> {
  const line = fc.constantFrom('a\n', 'b\r\n', '\n', '\u00e9\n').map(text => Buffer.from(text));
  const part = fc.record({
    same: fc.array(line, { maxLength: 3, minLength: 1 }),
    out: fc.array(line, { maxLength: 3 }),
    in: fc.array(line, { maxLength: 3 }),
  });
  return fc.array(part, { maxLength: 6 }).map(parts => {
    const before: Buffer[] = [];
    const after: Buffer[] = [];
    const hunks: Hunk[] = [];
    for (const { same, out, in: put } of parts) {
      before.push(...same);
      after.push(...same);
      const ranges = { oldStart: before.length, oldCount: out.length, newStart: after.length, newCount: put.length };
      if (out.length + put.length > 0) {
        hunks.push({ id: String(hunks.length), ...ranges });
      }
      before.push(...out);
      after.push(...put);
    }
    return { before: Buffer.concat(before), after: Buffer.concat(after), hunks };
  });
}
