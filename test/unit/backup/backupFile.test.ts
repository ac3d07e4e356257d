import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { SandpiperError } from '../../../protocol/errors.ts';
import { FORMAT_VERSION, isPartName, START } from '../../../server/src/backup/backupFormat.ts';
import { readBackup } from '../../../server/src/backup/backupReader.ts';
import { BackupWriter } from '../../../server/src/backup/backupWriter.ts';
import { decodeTarHeader, encodeTarHeader } from '../../../server/src/backup/tarHeader.ts';

const BLOB = `blobs/${'ab'}/${'c'.repeat(62)}`;
const COUNTS = { sessions: 1, events: 2, blobs: 1, mirrors: 1, commits: 3, archives: 0 };

describe('the file of a backup', () => {
  let folder = '';
  let file = '';
  let whole = Buffer.alloc(0);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandpiper-backup-'));
    file = join(folder, 'backup.tar');
    const writer = await BackupWriter.open(file, new AbortController().signal);
    await writer.addText(
      START,
      JSON.stringify({ format: 'sandpiper-backup', formatVersion: FORMAT_VERSION, version: '1', createdAt: 7 }),
    );
    await writer.addText('relay.db', 'the database'.repeat(100));
    await writer.addText(BLOB, '');
    await writer.addText('mirrors/a_1/refs', 'refs');
    await writer.finish({ counts: COUNTS, warnings: [] });
    await writer.close();
    whole = await readFile(file);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function read(path: string): Promise<Map<string, string>> {
    const parts = new Map<string, string>();
    await readBackup(path, async (name, content) => {
      const chunks: Buffer[] = [];
      for await (const chunk of content) {
        chunks.push(chunk);
      }
      parts.set(name, Buffer.concat(chunks).toString());
    });
    return parts;
  }

  async function refused(bytes: Buffer): Promise<void> {
    const bad = join(folder, 'bad.tar');
    await writeFile(bad, bytes);
    await assert.rejects(read(bad), (error: unknown) => {
      assert.ok(error instanceof SandpiperError, String(error));
      assert.match(error.code, /^(invalid_params|version_mismatch)$/);
      assert.ok(error.hint?.includes('Nothing has been changed'));
      return true;
    });
  }

  it('gives every part back', async () => {
    const parts = await read(file);
    assert.deepEqual([...parts.keys()], ['relay.db', BLOB, 'mirrors/a_1/refs']);
    assert.equal(parts.get('relay.db'), 'the database'.repeat(100));
    const summary = await readBackup(file, async (_name, content) => {
      for await (const chunk of content) {
        assert.ok(chunk.length > 0);
      }
    });
    assert.deepEqual(summary, { file, bytes: whole.length, version: '1', createdAt: 7, counts: COUNTS, warnings: [] });
  });

  it('is refused with any byte changed', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (place, change) => {
        const bytes = Buffer.from(whole);
        bytes.writeUInt8(bytes.readUInt8(place) ^ change, place);
        await refused(bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('is refused when it was cut anywhere, or something follows it', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), length => refused(whole.subarray(0, length))),
      { numRuns: 100 },
    );
    await refused(Buffer.concat([whole, Buffer.alloc(1)]));
    await refused(Buffer.concat([whole, whole]));
  });

  it('has only parts whose names say where they go, and never outside', () => {
    for (const name of ['relay.db', BLOB, 'mirrors/a_1/pack', 'mirrors/a_1/shallow']) {
      assert.equal(isPartName(name), true, name);
    }
    for (const name of ['token', '../relay.db', 'mirrors/../x/pack', 'mirrors/a/config', '/relay.db', 'blobs/ab/..']) {
      assert.equal(isPartName(name), false, name);
    }
  });

  it('says every size in its headers', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 53 - 1), fc.stringMatching(/^[a-z/_.0-9]{1,100}$/), (bytes, name) => {
        assert.deepEqual(decodeTarHeader(encodeTarHeader({ name, bytes })), { name, bytes });
      }),
    );
  });
});
