import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { silentLogger } from '../../server/src/core/log.ts';
import { openDatabase, type SqliteDriverName } from '../../server/src/store/sqlite/openDatabase.ts';
import { openStore } from '../../server/src/store/sqlite/openStore.ts';
import { SqliteStore } from '../../server/src/store/sqlite/sqliteStore.ts';
import { sampleAppend, sampleCall, sessionId } from '../support/storeSamples.ts';
import { findSqliteBinary } from '../../scripts/setup/sqlite.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { failsWith, storeSuite } from './storeSuite.ts';
import { storeHooksSuite } from './storeHooks.ts';
import { storeSpecsSuite } from './storeSpecs.ts';
import { storeTriggersSuite } from './storeTriggers.ts';
import { storeWholeSessionsSuite } from './storeWholeSessions.ts';

const A = sessionId(1);
const HAS_SQLITE3 = findSqliteBinary() !== undefined;
const DRIVERS: SqliteDriverName[] = HAS_SQLITE3 ? ['sqlite3', 'node'] : ['node'];

describe('sqlite3 package', () => {
  it('has its binary', function () {
    requireOrSkip(
      this,
      'store contract: sqlite3',
      HAS_SQLITE3,
      'the sqlite3 package has no binary; run `npm run setup`',
    );
  });
});

for (const driver of DRIVERS) {
  storeSuite(driver, (folder, now = Date.now) =>
    openStore({ file: join(folder, 'data', 'store.db'), log: silentLogger, now, driver }),
  );
  storeSpecsSuite(driver, (folder, now = Date.now) =>
    openStore({ file: join(folder, 'data', 'store.db'), log: silentLogger, now, driver }),
  );
  storeHooksSuite(driver, (folder, now = Date.now) =>
    openStore({ file: join(folder, 'data', 'store.db'), log: silentLogger, now, driver }),
  );
  storeTriggersSuite(driver, (folder, now = Date.now) =>
    openStore({ file: join(folder, 'data', 'store.db'), log: silentLogger, now, driver }),
  );
  storeWholeSessionsSuite(driver, (folder, now = Date.now) =>
    openStore({ file: join(folder, 'data', 'store.db'), log: silentLogger, now, driver }),
  );

  describe(`sqlite store: ${driver}`, () => {
    let folder = '';
    let file = '';
    const open = () => openStore({ file, log: silentLogger, driver });

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sandpiper-sqlite-'));
      file = join(folder, 'data', 'store.db');
    });

    afterEach(() => rm(folder, { recursive: true, force: true }));

    it('survives kill -9 at any moment: events, journal, inputs and calls end together', async function () {
      this.timeout(60_000);
      for (let round = 0; round < 5; round++) {
        const acknowledged = await killWhileAppending(file, driver, 40 + 37 * round);
        const store = await open();
        for (const [id, seq] of acknowledged) {
          const row = await store.readSession(id);
          const lastSeq = row?.lastSeq ?? 0;
          assert(lastSeq >= seq, `acknowledged ${seq} of ${id}, found ${lastSeq}`);
          const events = await store.readEvents(id, 0, 1_000_000);
          assert.deepEqual(
            events.map(event => event.seq),
            Array.from({ length: lastSeq }, (_, index) => index + 1),
          );
          assert.deepEqual(row?.journal, {
            segment: 1,
            offset: lastSeq * 100,
            decoder: JSON.stringify({ next: lastSeq }),
          });
          assert.equal((await store.readInputs(id, 1, 1)).length, lastSeq);
          assert.notEqual(await store.findCall(`${id}-${lastSeq}`), undefined);
          assert.equal(await store.findCall(`${id}-${lastSeq + 1}`), undefined);
        }
        await store.close();
      }
    });

    it('says disk_full, keeps what it has, and goes on when there is room', async () => {
      const database = await openDatabase(file, { log: silentLogger, driver });
      const store = new SqliteStore(database, { log: silentLogger, now: Date.now });
      try {
        await sql`pragma max_page_count = 60`.execute(database.writer);
        let seq = 0;
        const fill = async () => {
          for (;;) {
            await store.append(sampleAppend(A, seq, ['one', 'two', 'three', 'four', 'five']));
            seq += 5;
          }
        };
        await assert.rejects(fill(), failsWith('disk_full'));
        assert(seq > 0);
        await assert.rejects(store.append(sampleAppend(A, seq, Array<string>(50).fill('x'))), failsWith('disk_full'));
        assert.equal((await store.readEvents(A, 0, 10_000)).length, seq);
        await sql`pragma max_page_count = 100000`.execute(database.writer);
        await store.append(sampleAppend(A, seq, ['room again']));
        assert.equal((await store.readSession(A))?.lastSeq, seq + 1);
      } finally {
        await store.close();
      }
    });

    it('refuses the file of a newer Sandpiper and leaves it as it was', async () => {
      const database = await openDatabase(file, { log: silentLogger, driver });
      await sql`insert into kysely_migration (name, timestamp) values ('9999_future', '2030-01-01')`.execute(
        database.writer,
      );
      await database.close();
      const before = await readFile(file);
      await assert.rejects(open(), failsWith('version_mismatch', { unknown: ['9999_future'] }));
      assert(before.equals(await readFile(file)));
    });

    it('names the file when it is not a database, or a damaged one', async () => {
      const store = await open();
      let seq = 0;
      for (; seq < 200; seq += 50) {
        await store.append(sampleAppend(A, seq, Array<string>(50).fill('x')));
      }
      await store.close();
      const bytes = await readFile(file);
      bytes.fill(0x5a, 4096 * 3);
      await writeFile(file, bytes);
      const damaged = async () => {
        const reopened = await open();
        try {
          await reopened.readEvents(A, 0, 1000);
        } finally {
          await reopened.close();
        }
      };
      await assert.rejects(damaged(), failsWith('internal'));
      await writeFile(file, 'this is no database\n'.repeat(500));
      await assert.rejects(open(), error => {
        failsWith('internal')(error);
        return error instanceof Error && 'hint' in error && String(error.hint).includes(file);
      });
    });

    it('opens twice on one file without corruption; the appends of both are checked against each other', async () => {
      const [one, other] = await Promise.all([open(), open()]);
      try {
        const own = [one, other].map(async (store, index) => {
          for (let seq = 0; seq < 50; seq++) {
            await store.append(sampleAppend(sessionId(10 + index), seq, ['own']));
          }
        });
        const raced = Promise.allSettled(
          Array.from({ length: 40 }, (_, index) =>
            (index % 2 === 0 ? one : other).append(sampleAppend(A, index % 10, ['shared'])),
          ),
        );
        await Promise.all(own);
        const won = (await raced).filter(outcome => outcome.status === 'fulfilled').length;
        assert.equal((await one.readSession(A))?.lastSeq, won);
        assert.equal((await other.readEvents(A, 0, 100)).length, won);
      } finally {
        await Promise.all([one.close(), other.close()]);
      }
      const database = await openDatabase(file, { log: silentLogger, driver });
      const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(database.reader);
      await database.close();
      assert.deepEqual(rows, [{ integrity_check: 'ok' }]);
    });

    it('answers reads while a transaction holds the writer', async () => {
      const database = await openDatabase(file, { log: silentLogger, driver });
      const store = new SqliteStore(database, { log: silentLogger, now: Date.now });
      try {
        await store.append(sampleAppend(A, 0, ['one']));
        await database.writer.transaction().execute(async transaction => {
          await sql`update sessions set last_seq = 99`.execute(transaction);
          assert.equal((await store.readSession(A))?.lastSeq, 1);
        });
      } finally {
        await store.close();
      }
    });

    it('says unavailable while another program holds the lock', async () => {
      const database = await openDatabase(file, { log: silentLogger, driver });
      const store = await open();
      try {
        await database.writer.transaction().execute(async () => {
          await assert.rejects(store.append(sampleAppend(A, 0, ['one'])), failsWith('unavailable'));
        });
        await store.append(sampleAppend(A, 0, ['one']));
      } finally {
        await Promise.all([database.close(), store.close()]);
      }
    });

    it('keeps the write-ahead log small and removes a session with all that belongs to it', async () => {
      const database = await openDatabase(file, { log: silentLogger, driver });
      const store = new SqliteStore(database, { log: silentLogger, now: Date.now });
      try {
        for (let seq = 0; seq < 20_000; seq += 200) {
          await store.append(
            sampleAppend(A, seq, Array<string>(200).fill('x'), {
              inputs: [{ segment: 1, number: seq + 1, line: 'x' }],
            }),
          );
        }
        assert((await stat(`${file}-wal`)).size < 20 * 1024 * 1024);
        await database.writer.deleteFrom('sessions').execute();
        assert.deepEqual(await store.readEvents(A, 0, 1), []);
        assert.deepEqual(await store.readInputs(A, 1, 1), []);
      } finally {
        await store.close();
      }
    });

    it('makes files that only their owner can read', async function () {
      requireOrSkip(this, 'modes of the store', process.platform !== 'win32', 'Windows has no file modes');
      const store = await open();
      await store.append(sampleAppend(A, 0, ['one'], { call: sampleCall('key') }));
      assert.equal((await stat(join(folder, 'data'))).mode & 0o777, 0o700);
      for (const suffix of ['', '-wal', '-shm']) {
        assert.equal((await stat(file + suffix)).mode & 0o777, 0o600);
      }
      await store.close();
    });
  });
}

describe('sqlite drivers', () => {
  it("read each other's files", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sandpiper-drivers-'));
    try {
      for (const [seq, driver] of [...DRIVERS, ...DRIVERS].entries()) {
        const store = await openStore({ file: join(folder, 'store.db'), log: silentLogger, driver });
        await store.append(sampleAppend(A, seq, [driver]));
        assert.equal((await store.readEvents(A, 0, 10)).length, seq + 1);
        await store.close();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('falls back to node:sqlite with a line in the log when the binary cannot be loaded', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sandpiper-fallback-'));
    try {
      const hook = `import { registerHooks } from 'node:module';
        registerHooks({ resolve(specifier, context, next) {
          if (specifier === 'sqlite3') { throw new Error('no binary for this system'); }
          return next(specifier, context);
        } });`;
      const program = `
        const { openDatabase } = await import(${JSON.stringify(new URL('../../server/src/store/sqlite/openDatabase.ts', import.meta.url).href)});
        const lines = [];
        const log = { log: (...line) => lines.push(line) };
        const database = await openDatabase(${JSON.stringify(join(folder, 'store.db'))}, { log });
        await database.close();
        console.log(JSON.stringify({ driver: database.driver, lines }));`;
      const child = spawn(process.execPath, [
        '--import',
        `data:text/javascript,${encodeURIComponent(hook)}`,
        '--input-type=module',
        '-e',
        program,
      ]);
      const [output, errors] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()]);
      assert.notEqual(Buffer.concat(output).length, 0, Buffer.concat(errors).toString());
      const { driver, lines }: { driver: string; lines: unknown[][] } = JSON.parse(Buffer.concat(output).toString());
      assert.equal(driver, 'node');
      assert.equal(lines.length, 1);
      assert.match(JSON.stringify(lines), /warn.*no binary for this system/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** Starts appendForever.ts, kills it after so many acknowledged appends, and says what was acknowledged a session. */
async function killWhileAppending(file: string, driver: string, appends: number): Promise<Map<string, number>> {
  const program = join(import.meta.dirname, '../support/appendForever.ts');
  const child = spawn(process.execPath, [program, file, driver], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged = new Map<string, number>();
  const exited = once(child, 'exit');
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [id = '', seq = ''] = line.split(' ');
    acknowledged.set(id, Number(seq));
    if (++count === appends) {
      child.kill('SIGKILL');
    }
  }
  await exited;
  assert(count >= appends, `the program ended by itself after ${count} appends`);
  return acknowledged;
}
