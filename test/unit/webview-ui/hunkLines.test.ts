import assert from 'node:assert/strict';
import type { Hunk } from '../../../protocol/review.ts';
import { hunkLines, sideText, wholeFileLines } from '../../../webview-ui/src/text/hunkLines.ts';

const hunk = (oldStart: number, oldCount: number, newStart: number, newCount: number): Hunk => ({
  id: `${oldStart}`,
  oldStart,
  oldCount,
  newStart,
  newCount,
});
const signs = { same: ' ', added: '+', removed: '-', gap: '\\' } as const;

function drawn(before: string, after: string, hunks: Hunk[], index = 0): string[] {
  return hunkLines(sideText(before), sideText(after), hunks, index).map(({ kind, text }) => signs[kind] + text);
}

const letters = (changes: Record<string, string> = {}): string =>
  'abcdefghijkl'
    .split('')
    .map(letter => `${changes[letter] ?? letter}\n`)
    .join('');

describe('the lines of a hunk', () => {
  it('are what goes out, what comes in, and three lines around, with their numbers on both sides', () => {
    const lines = hunkLines(sideText(letters()), sideText(letters({ f: 'F\nFF' })), [hunk(5, 1, 5, 2)], 0);
    assert.deepEqual(
      lines.map(line => [signs[line.kind] + line.text, line.old, line.new]),
      [
        [' c', 3, 3],
        [' d', 4, 4],
        [' e', 5, 5],
        ['-f', 6, undefined],
        ['+F', undefined, 6],
        ['+FF', undefined, 7],
        [' g', 7, 8],
        [' h', 8, 9],
        [' i', 9, 10],
      ],
    );
  });

  it('show what stands between two hunks once', () => {
    const hunks = [hunk(1, 1, 1, 1), hunk(6, 1, 6, 1)];
    const after = letters({ b: 'B', g: 'G' });
    assert.deepEqual(drawn(letters(), after, hunks, 0), [' a', '-b', '+B', ' c', ' d', ' e']);
    assert.deepEqual(drawn(letters(), after, hunks, 1), [' f', '-g', '+G', ' h', ' i', ' j']);
  });

  it('are right where lines only come or only go, at both ends of a file', () => {
    assert.deepEqual(drawn('a\n', 'x\na\n', [hunk(0, 0, 0, 1)]), ['+x', ' a']);
    assert.deepEqual(drawn('a\nb\n', 'a\n', [hunk(1, 1, 1, 0)]), [' a', '-b']);
    assert.deepEqual(drawn('', 'a\n', [hunk(0, 0, 0, 1)]), ['+a']);
  });

  it('say where the end of a line is missing', () => {
    const note = '\\No end of line at the end of the file';
    assert.deepEqual(drawn('a\nb', 'a\nb\n', [hunk(1, 1, 1, 1)]), [' a', '-b', note, '+b']);
    assert.deepEqual(drawn('a\nb\nc', 'A\nb\nc', [hunk(0, 1, 0, 1)]), ['-a', '+A', ' b', ' c']);
  });

  it('of a file that is decided as a whole are all that differs', () => {
    const whole = (before: string, after: string): string[] =>
      wholeFileLines(sideText(before), sideText(after)).map(({ kind, text }) => signs[kind] + text);
    assert.deepEqual(whole('', 'a\nb\n'), ['+a', '+b']);
    assert.deepEqual(whole('a\n', ''), ['-a']);
    assert.deepEqual(whole('a\nb\nc\n', 'a\nB\nc\n'), [' a', '-b', '+B', ' c']);
    assert.deepEqual(whole('a\na\n', 'a\n'), [' a', '-a']);
    assert.deepEqual(whole('a\n', 'a\n'), [' a']);
  });

  it('show a carriage return only where it is what changed', () => {
    assert.deepEqual(drawn('a\r\nb\r\n', 'a\r\nB\r\n', [hunk(1, 1, 1, 1)]), [' a', '-b', '+B']);
    assert.deepEqual(drawn('a\r\n', 'a\n', [hunk(0, 1, 0, 1)]), ['-a\r', '+a']);
  });
});
