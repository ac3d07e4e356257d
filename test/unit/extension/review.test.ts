import assert from 'node:assert/strict';
import fc from 'fast-check';
import { findChange, originalsOf, toChangeEntries } from '../../../extension/src/review/changeEntries.ts';
import { fileText, isEditable } from '../../../extension/src/review/fileText.ts';
import { fromUriParts, toUriParts } from '../../../extension/src/review/sessionUri.ts';
import type { FileChange } from '../../../protocol/callParts.ts';
import { newId } from '../../../protocol/ids.ts';

const sessionId = newId('ses');

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

describe('the address of a session file', () => {
  it('comes back as it went', () => {
    const part = fc.string({ minLength: 1 }).filter(text => !text.includes('/') && text !== '.' && text !== '..');
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), parts => {
        const file = {
          sessionId,
          side: parts.length > 2 ? ('turn:12' as const) : ('proposed' as const),
          path: parts.join('/'),
        };
        assert.deepEqual(fromUriParts(toUriParts(file)), file);
      }),
    );
  });

  it('has the path of the repository alone, so that the editor shows it and sees no rename', () => {
    const parts = toUriParts({ sessionId, side: 'base', path: 'src/a.ts' });
    assert.deepEqual(parts, { authority: `${sessionId}.base`, path: '/src/a.ts' });
  });

  it('is refused when it is none, or leaves the repository', () => {
    const authority = `${sessionId}.proposed`;
    const path = '/src/a.ts';
    for (const parts of [
      { authority: '', path },
      { authority, path: '' },
      { authority, path: '/' },
      { authority, path: '/../x' },
      { authority, path: '/a//b' },
      { authority, path: 'a' },
      { authority: `${sessionId}.other`, path },
      { authority: `${sessionId}.turn-x`, path },
      { authority: sessionId, path },
      { authority: `${authority}.more`, path },
      { authority: 'ses_x.proposed', path },
    ]) {
      assert.equal(fromUriParts(parts), undefined, JSON.stringify(parts));
    }
  });
});

describe('the rows of the diff editor', () => {
  const side = (name: string, path: string) => ({ authority: `${sessionId}.${name}`, path });
  const files = [
    change('new.ts', { status: 'added' }),
    change('gone.ts', { status: 'deleted' }),
    change('now.ts', { status: 'renamed', oldPath: 'before.ts' }),
  ];
  const sides = (from: 'base' | 'accepted') =>
    toChangeEntries(sessionId, files, from).entries.map(entry => [entry.original, entry.modified]);

  it('have two sides in a review, so that they are the same once the file is accepted', () => {
    assert.deepEqual(sides('accepted'), [
      [side('accepted', '/new.ts'), side('proposed', '/new.ts')],
      [side('accepted', '/gone.ts'), side('proposed', '/gone.ts')],
      [side('accepted', '/before.ts'), side('proposed', '/now.ts')],
    ]);
    assert.equal(fileText(file({ exists: false })).byteLength, 0);
  });

  it('have no original of a new file where nothing is decided', () => {
    assert.deepEqual(sides('base')[0], [undefined, side('proposed', '/new.ts')]);
    assert.deepEqual(sides('base')[1], [side('base', '/gone.ts'), side('proposed', '/gone.ts')]);
  });

  it('have an original at least once, by which the editor tells us whose tab it is', () => {
    const paths = (...changes: FileChange[]) =>
      originalsOf(toChangeEntries(sessionId, changes, 'base').entries).map(parts => parts?.path);
    const added = change('a', { status: 'added' });
    assert.deepEqual(paths(added, change('b', { status: 'added' })), ['/a', undefined]);
    assert.deepEqual(paths(added, change('b')), [undefined, '/b']);
  });

  it('leave out binary files and name them', () => {
    const { entries, binaries } = toChangeEntries(sessionId, [change('a.ts'), change('logo.png', { binary: true })]);
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

describe('what a reviewer may type into', () => {
  it('is text that comes back as it went, and no stand-in', () => {
    assert.equal(isEditable(file({ content: 'é\r\n' })), true);
    assert.equal(isEditable(file({ exists: false, mode: '000000' })), true, 'a deleted file can be written again');
    for (const patch of [
      { encoding: 'base64' as const },
      { content: 'a\0b' },
      { tooLarge: true },
      { mode: '120000' },
      { mode: '160000' },
    ]) {
      assert.equal(isEditable(file(patch)), false, JSON.stringify(patch));
    }
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
