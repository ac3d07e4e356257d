import assert from 'node:assert/strict';
import { hunkAt, movedLine, nextPlace, placesOf } from '../../../extension/src/review/hunkPlaces.ts';
import { lensesOf } from '../../../extension/src/review/hunkLenses.ts';
import { blobAt } from '../../../extension/src/review/pendingBlobs.ts';
import type { PendingFile } from '../../../extension/src/review/pendingChanges.ts';
import { readTarget } from '../../../extension/src/review/reviewTarget.ts';
import { newId } from '../../../protocol/ids.ts';

const sessionId = newId('ses');

/** Each hunk as [name, old start, old count, new start, new count]. */
function pending(path: string, hunks: [string, number, number, number, number][], patch: Partial<PendingFile> = {}) {
  const file: PendingFile = {
    path,
    status: 'modified',
    binary: false,
    insertions: 1,
    deletions: 1,
    mode: '100644',
    oldMode: '100644',
    hunks: hunks.map(([id, oldStart, oldCount, newStart, newCount]) => ({
      id,
      oldStart,
      oldCount,
      newStart,
      newCount,
    })),
    ...patch,
  };
  return file;
}

const a = pending('a', [
  ['a1', 0, 1, 0, 2],
  ['a2', 5, 2, 6, 0],
  ['a3', 9, 1, 8, 1],
]);
const b = pending('b', [], { status: 'added' });
const c = pending('c', [['c1', 3, 0, 3, 1]]);
const files = [a, b, c];

describe('the change at a line', () => {
  it('is the hunk that has it, and a deletion has the lines around it', () => {
    const at = (line: number, side: 'accepted' | 'proposed' = 'proposed') => hunkAt(a, side, line)?.id;
    assert.deepEqual(
      [0, 1, 2, 5, 6, 7, 8, 9].map(line => at(line)),
      ['a1', 'a1', undefined, 'a2', 'a2', undefined, 'a3', undefined],
    );
    assert.deepEqual(
      [4, 5, 6, 7].map(line => at(line, 'accepted')),
      [undefined, 'a2', 'a2', undefined],
    );
  });
});

describe('the next pending change', () => {
  const next = (path: string, line: number, left = files, order?: string[]) =>
    nextPlace(left, { path, line }, 'next', order);

  it('is further down, then in the next file, then the first again', () => {
    assert.deepEqual(
      placesOf(files).map(({ path, line, hunk }) => [path, line, hunk]),
      [
        ['a', 0, 'a1'],
        ['a', 6, 'a2'],
        ['a', 8, 'a3'],
        ['b', 0, undefined],
        ['c', 3, 'c1'],
      ],
    );
    assert.equal(next('a', 0)?.hunk, 'a2');
    assert.equal(next('a', 8)?.path, 'b');
    assert.equal(next('c', 3)?.hunk, 'a1');
    assert.equal(nextPlace(files, undefined, 'next')?.hunk, 'a1');
    assert.equal(nextPlace([], { path: 'a', line: 0 }, 'next'), undefined);
  });

  it('is after a file that is decided and gone, in the order in which it was shown', () => {
    assert.equal(next('b', -1, [a, c], ['a', 'b', 'c'])?.hunk, 'c1');
    assert.equal(next('c', 2, [a], ['a', 'b', 'c'])?.hunk, 'a1');
  });

  it('goes backwards too', () => {
    const previous = (path: string, line: number) => nextPlace(files, { path, line }, 'previous')?.hunk;
    assert.equal(previous('a', 8), 'a2');
    assert.equal(previous('a', 0), 'c1');
    assert.equal(nextPlace(files, { path: 'c', line: 3 }, 'previous')?.path, 'b');
  });
});

describe('a change in a text that is being typed', () => {
  it('moves with the lines around it', () => {
    const saved = ['a', 'b', 'c', 'd', 'e'];
    assert.deepEqual(
      [0, 1, 4].map(line => movedLine(saved, ['a', 'new', 'new', 'b', 'c', 'd', 'e'], line)),
      [0, 3, 6],
    );
    assert.deepEqual(
      [0, 2, 4].map(line => movedLine(saved, ['a', 'X', 'e'], line)),
      [0, 1, 2],
    );
    assert.deepEqual(
      [0, 4].map(line => movedLine(saved, saved, line)),
      [0, 4],
    );
  });
});

describe('the lenses of a file', () => {
  const titles = (file: PendingFile, isConflict = false) =>
    lensesOf(sessionId, file, isConflict).map(({ line, title }) => `${line} ${title.replace(/\$\([\w-]+\) /, '')}`);

  it('offer each hunk where it begins, and the file on the first line that the diff shows', () => {
    const hunks = ['Accept', 'Reject', 'Reject…'];
    const whole = ['Accept File', 'Reject File'];
    assert.deepEqual(titles(a), [
      ...[0, 6, 8].flatMap(line => hunks.map(title => `${line} ${title}`)),
      '0 3 changes pending',
      ...whole.map(title => `0 ${title}`),
    ]);
    const deep = pending('deep', [
      ['d1', 20, 1, 20, 1],
      ['d2', 30, 1, 30, 1],
    ]);
    assert.deepEqual(titles(deep).slice(-3), ['20 2 changes pending', '20 Accept File', '20 Reject File']);
    assert.deepEqual(titles(c), ['3 Accept', '3 Reject', '3 Reject…']);
  });

  it('say what a file is that is decided as a whole, and why one is sensitive', () => {
    const whole = (patch: Partial<PendingFile>) => titles(pending('x', [], patch));
    assert.deepEqual(whole({ status: 'deleted' }), ['0 File deleted', '0 Accept', '0 Reject']);
    assert.deepEqual(whole({ status: 'renamed', oldPath: 'y' })[0], '0 Renamed from y');
    assert.deepEqual(whole({ mode: '100755' })[0], '0 Made executable');
    assert.deepEqual(whole({ status: 'added', sensitive: 'It runs' }).slice(0, 2), ['0 It runs', '0 File added']);
  });

  it('offer both versions of a conflict', () => {
    assert.deepEqual(titles(c, true).slice(1, 4), ['0 Compare With Agent', '0 Keep Mine', '0 Take Theirs']);
  });
});

describe('the content of a side, as the pending changes tell it', () => {
  const changes = [
    pending('m', [], { blob: 'new', oldBlob: 'old' }),
    pending('now', [], { status: 'renamed', oldPath: 'before', blob: 'new', oldBlob: 'old' }),
    pending('gone', [], { status: 'deleted', oldBlob: 'old' }),
  ];
  const at = (side: 'base' | 'accepted' | 'proposed', path: string) =>
    blobAt({ files: changes }, { sessionId, side, path });

  it('is one of two, none, or unknown', () => {
    assert.deepEqual([at('proposed', 'm'), at('accepted', 'm'), at('base', 'm')], ['new', 'old', undefined]);
    assert.deepEqual([at('proposed', 'now'), at('accepted', 'before')], ['new', 'old']);
    assert.deepEqual([at('proposed', 'before'), at('accepted', 'now')], [null, null]);
    assert.deepEqual([at('proposed', 'gone'), at('accepted', 'gone')], [null, 'old']);
    assert.equal(at('proposed', 'other'), undefined);
  });
});

describe('what a lens or a row passes', () => {
  it('is taken only when it names a session and a path', () => {
    assert.deepEqual(readTarget({ sessionId, path: 'a', hunk: 'h', more: 1 }), { sessionId, path: 'a', hunk: 'h' });
    assert.deepEqual(readTarget({ sessionId, path: 'a' }), { sessionId, path: 'a' });
    for (const argument of [undefined, null, 'a', {}, { sessionId: 'x', path: 'a' }, { sessionId, path: 1 }]) {
      assert.equal(readTarget(argument), undefined);
    }
  });
});
