import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LineSplitter, tooLongLine } from '../../../server/src/journal/lineSplitter.ts';
import type { JournalLine } from '../../../server/src/journal/lineSplitter.ts';

function split(bytes: Buffer, cuts: readonly number[], splitter: LineSplitter): JournalLine[] {
  const edges = [0, ...cuts.map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).flatMap((edge, index) => splitter.push(bytes.subarray(edges[index], edge)));
}

describe('LineSplitter', () => {
  it('gives the same lines and offsets however the bytes are cut', () => {
    const line = fc
      .oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '\r', '€', '🪶'))
      .map(text => text.replaceAll('\n', ''));
    fc.assert(
      fc.property(fc.array(line), fc.string(), fc.array(fc.nat()), fc.nat(1000), (lines, end, cuts, offset) => {
        const rest = end.replaceAll('\n', '');
        const bytes = Buffer.from(lines.map(text => `${text}\n`).join('') + rest);
        const splitter = new LineSplitter(offset);
        const found = split(bytes, cuts, splitter);
        let expectedEnd = offset;
        const expected = lines.map(text => ({ text, endOffset: (expectedEnd += Buffer.byteLength(text) + 1) }));
        assert.deepEqual(
          found,
          expected.map(({ text, endOffset }) => ({ text: Buffer.from(text).toString(), endOffset })),
        );
        assert.equal(splitter.rest, Buffer.from(rest).toString());
        assert.equal(splitter.offset, offset + bytes.length);
      }),
    );
  });

  it('goes on from any line end', () => {
    const bytes = Buffer.from('eins\nzwei\ndrei\n');
    const all = new LineSplitter(0).push(bytes);
    for (const [index, { endOffset }] of all.entries()) {
      assert.deepEqual(new LineSplitter(endOffset).push(bytes.subarray(endOffset)), all.slice(index + 1));
    }
  });

  it('puts a marker in the place of a line that is too long, and keeps nothing of it', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), cuts => {
        const bytes = Buffer.from(`ok\n${'x'.repeat(11)}\n${'y'.repeat(10)}\n${'z'.repeat(50)}`);
        const splitter = new LineSplitter(0, 10);
        assert.deepEqual(split(bytes, cuts, splitter), [
          { text: 'ok', endOffset: 3 },
          { text: tooLongLine(11), endOffset: 15 },
          { text: 'yyyyyyyyyy', endOffset: 26 },
        ]);
        assert.equal(splitter.rest, tooLongLine(50));
      }),
    );
    assert.deepEqual(JSON.parse(tooLongLine(5)), { type: 'sandpiper_line_too_long', bytes: 5 });
  });

  it('passes a line of 64 MB whole, and one byte more as a marker', function () {
    this.timeout(60_000);
    const limit = 64 * 1024 * 1024;
    for (const length of [limit, limit + 1]) {
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      const splitter = new LineSplitter(0);
      for (let written = 0; written < length; written += chunk.length) {
        assert.deepEqual(splitter.push(chunk.subarray(0, length - written)), []);
      }
      assert.equal(splitter.endsLine, false);
      const [line, next] = splitter.push(Buffer.from('\nnext\n'));
      assert.equal(line?.endOffset, length + 1);
      assert.ok(length === limit ? line.text.length === limit : line.text === tooLongLine(length));
      assert.equal(next?.text, 'next');
      assert.equal(splitter.endsLine, true);
    }
  });
});
