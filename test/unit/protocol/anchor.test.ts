import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { linesOf, moveAnchor } from '../../../protocol/anchor.ts';

const line = fc.constantFrom('', '}', 'a', 'b', 'c', 'return x', '  if (y) {');
const text = fc.array(line, { maxLength: 40 });
/** Lines of which no two are the same. */
const unique = (count: number, prefix: string) => Array.from({ length: count }, (_, index) => `${prefix} ${index}`);

describe('the place of commented lines', () => {
  it('is the same lines when only others changed', () => {
    const sizes = fc.record({
      count: fc.integer({ min: 1, max: 30 }),
      at: fc.nat(),
      length: fc.integer({ min: 1, max: 8 }),
    });
    const noise = fc.array(fc.constantFrom('new 1', 'new 2', '', '}'), { maxLength: 12 });
    fc.assert(
      fc.property(sizes, noise, noise, fc.nat(), fc.nat(), ({ count, at, length }, above, below, cutUp, cutDown) => {
        const before = unique(count, 'line');
        const start = at % count;
        const block = before.slice(start, start + length);
        const head = before.slice(0, start);
        const tail = before.slice(start + block.length);
        const after = [
          ...above,
          ...head.slice(0, cutUp % (head.length + 1)),
          ...block,
          ...tail.slice(cutDown % (tail.length + 1)),
          ...below,
        ];
        const moved = moveAnchor(before, after, { start, count: length });
        assert.ok(moved);
        assert.equal(moved.how, 'exact');
        assert.deepEqual(after.slice(moved.lines.start, moved.lines.start + moved.lines.count), block);
      }),
    );
  });

  it('lies in the file, and `exact` says that the lines are the same', () => {
    fc.assert(
      fc.property(text, text, fc.nat({ max: 45 }), fc.integer({ min: 1, max: 10 }), (before, after, start, count) => {
        const moved = moveAnchor(before, after, { start, count });
        if (moved) {
          const { lines } = moved;
          assert.ok(lines.start >= 0 && lines.count > 0 && lines.start + lines.count <= after.length);
          if (moved.how === 'exact') {
            const block = before.slice(start, start + count);
            assert.deepEqual(after.slice(lines.start, lines.start + lines.count), block);
          }
        }
      }),
    );
  });

  it('is where it was in a file that did not change', () => {
    fc.assert(
      fc.property(text, fc.nat({ max: 39 }), fc.integer({ min: 1, max: 10 }), (lines, start, count) => {
        fc.pre(start < lines.length);
        const there = { start, count: Math.min(count, lines.length - start) };
        assert.deepEqual(moveAnchor(lines, lines, { start, count }), { lines: there, how: 'exact' });
      }),
    );
  });

  it('is nowhere when the lines are gone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(), fc.integer({ min: 1, max: 8 }), (count, at, length) => {
        const before = unique(count, 'line');
        const start = at % count;
        const after = [...before.slice(0, start), 'something else', ...before.slice(start + length)];
        assert.equal(moveAnchor(before, after, { start, count: length }), undefined);
      }),
    );
  });

  it('is the near one of several, by what stands around it', () => {
    const before = ['f() {', '  x', '}', '', 'g() {', '  x', '}', ''];
    const after = ['h() {', '  x', '}', '', ...before];
    assert.deepEqual(moveAnchor(before, after, { start: 5, count: 1 })?.lines, { start: 9, count: 1 });
    assert.deepEqual(moveAnchor(before, after, { start: 1, count: 1 })?.lines, { start: 5, count: 1 });
    assert.deepEqual(moveAnchor(before, ['top', 'g() {', '  x', 'y', '}'], { start: 5, count: 1 })?.lines, {
      start: 2,
      count: 1,
    });
  });

  it('is where most of the lines are, whatever their indentation', () => {
    const before = ['a', 'one', 'two', 'three', 'z'];
    const after = ['0', 'a', 'if (b) {', '  one', '  TWO', '  three', '}', 'z'];
    assert.deepEqual(moveAnchor(before, after, { start: 1, count: 3 }), { lines: { start: 3, count: 3 }, how: 'near' });
    assert.equal(moveAnchor(before, ['a', 'one', 'b', 'c', 'z'], { start: 1, count: 3 }), undefined, 'one of three');
  });

  it('does not depend on the ends of lines', () => {
    assert.deepEqual(linesOf('a\r\nb\r\n'), ['a', 'b']);
    assert.deepEqual(linesOf('a\nb'), ['a', 'b']);
    assert.deepEqual(linesOf(''), []);
  });
});
