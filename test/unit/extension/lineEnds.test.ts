import assert from 'node:assert/strict';
import fc from 'fast-check';
import { blobId, BlobCache } from '../../../extension/src/review/blobCache.ts';
import { keepLineEnds } from '../../../extension/src/review/lineEnds.ts';

const kept = (before: string, written: string): string =>
  Buffer.from(keepLineEnds(Buffer.from(before), Buffer.from(written))).toString();
/** What the editor writes of a document that nobody changed: one end for all lines. */
const asEditor = (text: string, end: string): string => text.replaceAll(/\r\n|\r|\n/g, end);

describe('a file with mixed ends of lines', () => {
  it('is stored as it was when nobody typed, whatever end the editor chose', () => {
    const line = fc.tuple(fc.constantFrom('', 'a', 'b', 'ü'), fc.constantFrom('\r\n', '\n', '\r'));
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom('', 'a'), fc.constantFrom('\n', '\r\n'), (lines, last, end) => {
        const before = lines.map(parts => parts.join('')).join('') + last;
        const isMixed = new Set(before.match(/\r\n|\r|\n/g)).size > 1;
        fc.pre(isMixed && !before.includes('\r\r\n'));
        assert.equal(kept(before, asEditor(before, end)), before);
      }),
    );
  });

  it('differs only where a person typed', () => {
    const before = 'one\r\ntwo\nthree\r\nfour\nfive';
    assert.equal(kept(before, 'one\nTWO\nthree\nnew\nfour\nfive'), 'one\r\nTWO\nthree\r\nnew\nfour\nfive');
    assert.equal(kept(before, 'two\nfour\nfive\n'), 'two\nfour\nfive\n');
  });
});

describe('a file with one end of lines', () => {
  it('is stored as it was written, also with another end', () => {
    assert.equal(kept('a\nb\n', 'a\r\nb\r\n'), 'a\r\nb\r\n');
    assert.equal(kept('\ufeffa\r\nb', '\ufeffa\r\nc'), '\ufeffa\r\nc');
    assert.equal(kept('', 'a\nb\r\n'), 'a\nb\r\n');
  });
});

describe('contents by their git id', () => {
  it('have the id that git gives them', () => {
    assert.equal(blobId(Buffer.from('hello\n'), 'a'.repeat(40)), 'ce013625030ba8dba906f756967f9e9ca394464a');
    assert.equal(blobId(new Uint8Array(), 'a'.repeat(40)), 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391');
    assert.equal(blobId(new Uint8Array(), 'a'.repeat(64)).length, 64);
  });

  it('are kept up to a number of bytes, those used last the longest', () => {
    const cache = new BlobCache(10);
    cache.set('a', Buffer.from('aaaa'));
    cache.set('b', Buffer.from('bbbb'));
    cache.get('a');
    cache.set('c', Buffer.from('cccc'));
    assert.deepEqual([cache.get('a')?.byteLength, cache.get('b'), cache.get('c')?.byteLength], [4, undefined, 4]);
    cache.set('d', Buffer.alloc(100));
    assert.deepEqual(
      [cache.get('a'), cache.get('d')?.byteLength],
      [undefined, 100],
      'one that is larger than all is kept',
    );
  });
});
