import assert from 'node:assert/strict';
import fc from 'fast-check';
import { findChange, originalsOf, toChangeEntries } from '../../../extension/src/review/changeEntries.ts';
import { fileText } from '../../../extension/src/review/fileText.ts';
import { fromUriParts, toUriParts } from '../../../extension/src/review/sessionUri.ts';
import type { FileChange } from '../../../protocol/callParts.ts';
import { newId } from '../../../protocol/ids.ts';

const sessionId = newId('ses');
const from = 'a'.repeat(40);
const to = 'b'.repeat(40);

function change(path: string, patch: Partial<FileChange> = {}): FileChange {
  return {
    path,
    status: 'modified',
    binary: false,
    insertions: 1,
    deletions: 1,
    mode: '100644',
    oldMode: '100644',
    ...patch,
  };
}

function list(...files: FileChange[]): Parameters<typeof toChangeEntries>[1] {
  return { files, stats: { files: files.length, insertions: 0, deletions: 0 }, fromCommit: from, toCommit: to };
}

describe('the address of a session file', () => {
  it('comes back as it went', () => {
    const part = fc.string({ minLength: 1 }).filter(text => !text.includes('/') && text !== '.' && text !== '..');
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), parts => {
        const file = { sessionId, side: 'proposed' as const, commit: '0123abcd', path: parts.join('/') };
        assert.deepEqual(fromUriParts(toUriParts(file)), file);
      }),
    );
  });

  it('has the path of the repository alone, so that the editor shows it and sees no rename', () => {
    const parts = toUriParts({ sessionId, side: 'base', commit: from, path: 'src/a.ts' });
    assert.deepEqual(parts, { authority: `${sessionId}.base.aaaaaaaa`, path: '/src/a.ts' });
  });

  it('is refused when it is none, or leaves the repository', () => {
    const authority = `${sessionId}.proposed.0123abcd`;
    const path = '/src/a.ts';
    for (const parts of [
      { authority: '', path },
      { authority, path: '' },
      { authority, path: '/' },
      { authority, path: '/../x' },
      { authority, path: '/a//b' },
      { authority, path: 'a' },
      { authority: `${sessionId}.other.0123abcd`, path },
      { authority: `${sessionId}.proposed`, path },
      { authority: `${sessionId}.proposed.HEAD`, path },
      { authority: `${authority}.more`, path },
      { authority: 'ses_x.proposed.0123abcd', path },
    ]) {
      assert.equal(fromUriParts(parts), undefined, JSON.stringify(parts));
    }
  });
});

describe('the rows of the diff editor', () => {
  const accepted = { authority: `${sessionId}.accepted.aaaaaaaa` };
  const proposed = { authority: `${sessionId}.proposed.bbbbbbbb` };

  it('has an original at least once, by which the editor tells us whose tab it is', () => {
    const only = toChangeEntries(sessionId, list(change('a', { status: 'added' }), change('b', { status: 'added' })));
    assert.deepEqual(
      originalsOf(only.entries).map(parts => parts?.path),
      ['/a', undefined],
    );
    const both = toChangeEntries(sessionId, list(change('a', { status: 'added' }), change('b')));
    assert.deepEqual(
      originalsOf(both.entries).map(parts => parts?.path),
      [undefined, '/b'],
    );
  });

  it('have no original when the file is new, and an empty document when it is gone', () => {
    const { entries } = toChangeEntries(
      sessionId,
      list(
        change('new.ts', { status: 'added' }),
        change('gone.ts', { status: 'deleted' }),
        change('now.ts', { status: 'renamed', oldPath: 'before.ts' }),
      ),
    );
    assert.deepEqual(
      entries.map(entry => [entry.original, entry.modified]),
      [
        [undefined, { ...proposed, path: '/new.ts' }],
        [
          { ...accepted, path: '/gone.ts' },
          { ...proposed, path: '/gone.ts' },
        ],
        [
          { ...accepted, path: '/before.ts' },
          { ...proposed, path: '/now.ts' },
        ],
      ],
    );
    assert.equal(fileText(file({ exists: false })).byteLength, 0);
  });

  it('leave out binary files and name them', () => {
    const { entries, binaries } = toChangeEntries(
      sessionId,
      list(change('a.ts'), change('logo.png', { binary: true })),
    );
    assert.deepEqual([entries.length, binaries], [1, ['logo.png']]);
  });

  it("are found by the agent's absolute path, the longest match first", () => {
    const files = [change('a.ts'), change('src/a.ts'), change('lib/src/b.ts')];
    assert.equal(findChange(files, '/sandbox/clone/src/a.ts')?.path, 'src/a.ts');
    assert.equal(findChange(files, 'a.ts')?.path, 'a.ts');
    assert.equal(findChange(files, 'C:\\clone\\lib\\src\\b.ts')?.path, 'lib/src/b.ts');
    assert.equal(findChange(files, '/clone/src/ba.ts'), undefined);
  });
});

describe('the content of a session file', () => {
  it('is decoded as the relay says', () => {
    assert.deepEqual(Buffer.from(fileText(file({ content: 'é\n' }))).toString('utf8'), 'é\n');
    assert.deepEqual([...fileText(file({ encoding: 'base64', content: '/wA=' }))], [255, 0]);
  });

  it('is a sentence when it is too large', () => {
    const shown = Buffer.from(fileText(file({ tooLarge: true, bytes: 12_345_678 }))).toString('utf8');
    assert.equal(shown, 'This file is too large to show here (12,345,678 bytes).\n');
  });
});

function file(patch: Partial<Parameters<typeof fileText>[0]>): Parameters<typeof fileText>[0] {
  return {
    exists: true,
    encoding: 'utf8',
    content: '',
    bytes: 0,
    mode: '100644',
    blob: null,
    tooLarge: false,
    ...patch,
  };
}
