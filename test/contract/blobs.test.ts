import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBlobs } from '../../server/src/store/fileBlobs.ts';
import type { BlobStore } from '../../server/src/store/store.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { failsWith } from './storeSuite.ts';

const MIB = 1024 * 1024;

describe('blob store: files', () => {
  let folder = '';
  let blobs: BlobStore;

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'sandpiper-blobs-')), 'blobs');
    blobs = await openBlobs(folder);
  });

  afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

  const place = (hash: string) => join(folder, hash.slice(0, 2), hash.slice(2));

  it('gives back what it was given, small, empty, compressible, random, over many chunks', async () => {
    const contents = [
      Buffer.from('hello'),
      Buffer.alloc(0),
      Buffer.from('a line of output\n'.repeat(50_000)),
      randomBytes(MIB),
      Buffer.concat([randomBytes(2 * MIB), Buffer.alloc(2 * MIB + 17, 'x')]),
    ];
    for (const content of contents) {
      const put = await blobs.put(content);
      assert.deepEqual(put, { hash: createHash('sha256').update(content).digest('hex'), bytes: content.length });
      const read = await (await openBlobs(folder)).read(put.hash, 0, content.length + 100);
      assert.equal(read?.bytes, content.length);
      assert(read.content.equals(content));
    }
  });

  it('reads ranges of the uncompressed content, across chunk borders and beyond the end', async () => {
    const content = Buffer.concat([Buffer.alloc(MIB - 5, 'a'), randomBytes(MIB + 10), Buffer.alloc(100, 'z')]);
    const { hash } = await blobs.put(content);
    const ranges = [
      [0, 1],
      [MIB - 10, 20],
      [MIB - 1, 1],
      [MIB, 1],
      [5, 2 * MIB],
      [content.length - 1, 50],
      [content.length, 50],
      [content.length + 1000, 50],
      [7, 0],
    ] as const;
    for (const [offset, maxBytes] of ranges) {
      const read = await blobs.read(hash, offset, maxBytes);
      assert(read);
      assert(read.content.equals(content.subarray(offset, offset + maxBytes)), `range ${offset}, ${maxBytes}`);
      assert.equal(read.bytes, content.length);
    }
  });

  it('keeps the same content once, also when it comes ten times at once', async () => {
    const content = Buffer.from('same'.repeat(100_000));
    const put = await Promise.all(Array.from({ length: 10 }, () => blobs.put(content)));
    assert.equal(new Set(put.map(({ hash }) => hash)).size, 1);
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile());
    assert.equal(files.length, 1);
    assert((await stat(place(put[0]?.hash ?? ''))).size < content.length / 10);
  });

  it('knows what it does not have and refuses what is no hash or range', async () => {
    assert.equal(await blobs.read('0'.repeat(64), 0, 10), undefined);
    await writeFile(join(folder, '..', 'secret'), 'secret');
    for (const hash of [
      '../secret',
      `..${'/'.repeat(61)}x`,
      'A'.repeat(64),
      '0'.repeat(63),
      `${'0'.repeat(64)}\n`,
      '',
    ]) {
      await assert.rejects(blobs.read(hash, 0, 10), failsWith('invalid_params'));
    }
    for (const [offset, maxBytes] of [
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [0, Number.NaN],
    ] as const) {
      await assert.rejects(blobs.read('0'.repeat(64), offset, maxBytes), failsWith('invalid_params'));
    }
  });

  it('finds damage: a changed byte, a missing end, a foreign file', async () => {
    const content = randomBytes(1000);
    const { hash } = await blobs.put(content);
    const bytes = await readFile(place(hash));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(place(hash), bytes);
    await assert.rejects(blobs.read(hash, 0, 1000), failsWith('internal'));
    await truncate(place(hash), bytes.length - 1);
    await assert.rejects(blobs.read(hash, 0, 10), failsWith('internal'));
    await writeFile(place(hash), 'not a blob');
    await assert.rejects(blobs.read(hash, 0, 10), failsWith('internal'));
    const packed = await blobs.put(Buffer.alloc(1000, 'x'));
    const packedBytes = await readFile(place(packed.hash));
    await writeFile(place(packed.hash), packedBytes.fill(0xff, 24));
    await assert.rejects(blobs.read(packed.hash, 0, 10), failsWith('internal'));
  });

  it('removes what a dead writer left behind, and nothing younger', async () => {
    const old = join(folder, 'tmp', 'old');
    await writeFile(old, 'x');
    await writeFile(join(folder, 'tmp', 'young'), 'x');
    const hoursAgo = Date.now() / 1000 - 2 * 60 * 60;
    await utimes(old, hoursAgo, hoursAgo);
    await openBlobs(folder);
    assert.deepEqual(await readdir(join(folder, 'tmp')), ['young']);
  });

  it('lists what it has, and removes nothing that was put lately', async () => {
    const [kept, unused] = [await blobs.put(Buffer.from('kept')), await blobs.put(Buffer.from('unused'))];
    const listed = await blobs.list();
    assert.deepEqual(listed.map(({ hash }) => hash).toSorted(), [kept.hash, unused.hash].toSorted());
    assert.ok(listed.every(({ bytes, ageMs }) => bytes > 0 && ageMs < 60_000));
    assert.equal(await blobs.remove(unused.hash, 60_000), false, 'whoever put it may be about to name it');
    assert.equal(await blobs.remove(unused.hash, 0), true);
    assert.equal(await blobs.read(unused.hash, 0, 10), undefined);
    assert.equal(await blobs.remove(unused.hash, 0), true, 'twice is harmless');
    const reopened = await openBlobs(folder);
    await Promise.all([reopened.put(Buffer.from('kept')), reopened.list()]);
    assert.equal(await reopened.remove(kept.hash, 60_000), false, 'also when it was there already');
    assert.ok(await reopened.read(kept.hash, 0, 10));
    assert.equal(await blobs.remove('../secret', 0), false);
  });

  it('makes files that only their owner can read', async function () {
    requireOrSkip(this, 'modes of blobs', process.platform !== 'win32', 'Windows has no file modes');
    const { hash } = await blobs.put(Buffer.from('private'));
    assert.equal((await stat(place(hash))).mode & 0o777, 0o600);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
  });
});
