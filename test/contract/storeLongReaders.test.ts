import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'mocha';
import { silentLogger } from '../../server/src/core/log.ts';
import { openStore } from '../../server/src/store/sqlite/openStore.ts';
import type { Store } from '../../server/src/store/store.ts';
import { sampleAppend, sessionId } from '../support/storeSamples.ts';

const A = sessionId(1);
const MIB = 1024 * 1024;
/** What the write-ahead log is cut back to, and a commit's worth more. */
const BOUND = 20 * MIB;

/** A program that begins to read and goes on until its input ends. */
const READER = `
  const { DatabaseSync } = require('node:sqlite');
  const db = new DatabaseSync(process.argv[1], { readOnly: true });
  db.exec('begin');
  const { count } = db.prepare('select count(*) as count from events').get();
  console.log(count);
  process.stdin.resume().on('end', () => {
    console.log(db.prepare('select count(*) as count from events').get().count);
    db.exec('commit');
    db.close();
  });
`;

describe('the write-ahead log', function () {
  this.timeout(60_000);
  let folder = '';
  let file = '';
  let store: Store;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandpiper-wal-'));
    file = join(folder, 'relay.db');
    store = await openStore({ file, log: silentLogger });
    await store.append(sampleAppend(A, 0, ['one']));
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  const walBytes = async () => (await stat(`${file}-wal`)).size;
  let seq = 1;
  async function write(bytes: number): Promise<void> {
    for (let left = bytes; left > 0; left -= 100 * 300) {
      await store.append(sampleAppend(A, seq, Array<string>(100).fill('x')));
      seq += 100;
    }
  }

  it('grows while another program reads an old state, costs nobody anything, and is cut back afterwards', async () => {
    seq = 1;
    const reader = spawn(process.execPath, ['-e', READER, file], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(reader, 'exit');
    const lines = createInterface({ input: reader.stdout })[Symbol.asyncIterator]();
    try {
      assert.equal((await lines.next()).value, '1');
      await write(24 * MIB);
      const grown = await walBytes();
      assert.ok(grown > BOUND, `the reader holds it: ${grown}`);
      assert.equal((await store.readEvents(A, seq - 1, 10)).length, 1, 'what was written is read by the relay');
      reader.stdin.end();
      assert.equal((await lines.next()).value, '1', 'the reader saw one state all the time');
      await ended;
      // The next checkpoint is due after a thousand pages; the write after it begins the file anew.
      await write(6 * MIB);
      assert.ok((await walBytes()) < BOUND, `${await walBytes()}`);
    } finally {
      reader.kill('SIGKILL');
      await ended;
    }
  });

  it('stays small while somebody reads a log page by page, as slow clients do', async () => {
    seq = 1;
    let after = 0;
    for (let round = 0; round < 40; round++) {
      await write(0.6 * MIB);
      after = (await store.readEvents(A, after, 20)).at(-1)?.seq ?? after;
    }
    assert.ok(after < seq, 'the reader is far behind');
    assert.ok((await walBytes()) < BOUND, `${await walBytes()}`);
  });
});
