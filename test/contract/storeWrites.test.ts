import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { findSqliteBinary } from '../../scripts/setup/sqlite.ts';
import { silentLogger } from '../../server/src/core/log.ts';
import { prepareAppend, type PreparedAppend } from '../../server/src/store/sqlite/groupCommit.ts';
import {
  openDatabase,
  type SqliteDatabase,
  type SqliteDriverName,
} from '../../server/src/store/sqlite/openDatabase.ts';
import { isForTheCarefulWay } from '../../server/src/store/sqlite/sqliteErrors.ts';
import { fitsAtOnce, writeAtOnce } from '../../server/src/store/sqlite/writeAtOnce.ts';
import { writeGroup } from '../../server/src/store/sqlite/writeGroup.ts';
import { sampleAppend, sampleCall, sessionId, T0 } from '../support/storeSamples.ts';

const DRIVERS: SqliteDriverName[] = findSqliteBinary() === undefined ? ['node'] : ['sqlite3', 'node'];
const A = sessionId(1);
const B = sessionId(2);

/** Any text at all: NUL, quotes, halves of surrogate pairs. */
const anyText = fc.string({ unit: 'binary', maxLength: 40 }).map(text => `${text}\ud800'"\u0000`);
const anyBody = fc
  .tuple(anyText, fc.jsonValue({ stringUnit: 'binary' }), fc.double())
  .map(([text, value, number]) => JSON.stringify({ [text]: value, number, type: 'x' }));
const anyEvent = fc.record({
  at: fc.constantFrom(T0, T0 + 1, T0 + 0.5),
  type: fc.constantFrom('textFinished', 'turnStarted', 'x'),
  body: anyBody,
});
const anyGroup = fc.array(
  fc.record({
    session: fc.constantFrom(A, B),
    events: fc.array(anyEvent, { maxLength: 4 }),
    text: anyText,
    has: fc.record({ runtime: fc.boolean(), journal: fc.boolean(), inputs: fc.nat(2), call: fc.boolean() }),
  }),
  { minLength: 1, maxLength: 9 },
);

for (const driver of DRIVERS) {
  describe(`writing a group at once: ${driver}`, () => {
    let folder = '';
    let database: SqliteDatabase;
    let written = 0;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sandpiper-writes-'));
      database = await openDatabase(join(folder, 'store.db'), { log: silentLogger, driver });
    });

    afterEach(async () => {
      await database.close();
      await rm(folder, { recursive: true, force: true });
    });

    it('stores what it was given to the last byte, whatever that is', async function () {
      this.timeout(60_000);
      const lastSeqs = new Map<string, number>();
      const expected: unknown[] = [];
      await fc.assert(
        fc.asyncProperty(anyGroup, async parts => {
          const group = parts.map(({ session, events, text, has }): PreparedAppend => {
            const expectedSeq = lastSeqs.get(session) ?? 0;
            lastSeqs.set(session, expectedSeq + events.length);
            expected.push(...events.map((event, index) => ({ session, seq: expectedSeq + 1 + index, ...event })));
            const json = JSON.stringify(text);
            return {
              ...prepareAppend(sampleAppend(session, expectedSeq, [])),
              events,
              summary: json,
              runtime: has.runtime ? json : undefined,
              journal: has.journal ? { segment: 1, offset: 2 ** 40 + 1, decoder: json } : undefined,
              inputs: Array.from({ length: has.inputs }, () => ({ segment: 1, number: ++written, line: json })),
              call: has.call ? { ...sampleCall(`key-${++written}`), result: json } : undefined,
            };
          });
          assert.ok(fitsAtOnce(group));
          await writeAtOnce(database.writer, group, { now: T0, epoch: undefined });
          for (const [session, lastSeq] of lastSeqs) {
            const row = await database.reader.selectFrom('sessions').selectAll().where('id', '=', session).execute();
            assert.equal(row[0]?.last_seq, lastSeq);
          }
          for (const { sessionId: id, summary, inputs, call } of group) {
            const rows = await database.reader.selectFrom('sessions').select('summary').where('id', '=', id).execute();
            assert.equal(rows[0]?.summary, group.findLast(append => append.sessionId === id)?.summary);
            assert.equal(typeof summary, 'string');
            for (const { number, line } of inputs) {
              const found = database.reader.selectFrom('inputs').selectAll().where('number', '=', number);
              assert.deepEqual(await found.execute(), [{ session_id: id, segment: 1, number, line }]);
            }
            if (call) {
              const found = database.reader.selectFrom('calls').selectAll().where('key', '=', call.key);
              const { key, method, paramsHash, result } = call;
              assert.deepEqual(await found.execute(), [{ key, method, params_hash: paramsHash, result, at: T0 }]);
            }
          }
        }),
        { numRuns: 100 },
      );
      const stored = await database.reader
        .selectFrom('events')
        .select(['session_id as session', 'seq', 'at', 'type', 'body'])
        .execute();
      assert.deepEqual(sorted(stored), sorted(expected));
    });

    it('changes nothing when one append of the group, or the owner, is not as expected', async () => {
      const good = prepareAppend(sampleAppend(A, 0, ['one']));
      await writeAtOnce(database.writer, [good], { now: T0, epoch: undefined });
      const wrong: [PreparedAppend, number | undefined][] = [
        [prepareAppend(sampleAppend(A, 0, ['two'])), undefined],
        [prepareAppend(sampleAppend(A, 2, ['two'])), undefined],
        [prepareAppend(sampleAppend(A, 1, ['two'])), 7],
      ];
      for (const [append, epoch] of wrong) {
        const group = [prepareAppend(sampleAppend(B, 0, ['other'])), append];
        await assert.rejects(writeAtOnce(database.writer, group, { now: T0, epoch }), isForTheCarefulWay);
      }
      const sessions = await database.reader.selectFrom('sessions').select(['id', 'last_seq']).execute();
      assert.deepEqual(sessions, [{ id: A, last_seq: 1 }]);
      assert.equal((await database.reader.selectFrom('events').select('seq').execute()).length, 1);
    });

    it('writes what does not fit the other way, as exactly', async () => {
      const deep = `${'['.repeat(2000)}${']'.repeat(2000)}`;
      const many = Array.from({ length: 600 }, (_, index) => ({
        at: T0 + index,
        type: `t${index}`,
        body: `{"n":${index}}`,
      }));
      const group = [
        { ...prepareAppend(sampleAppend(A, 0, [])), events: [{ at: T0, type: 'deep', body: `{"deep":${deep}}` }] },
        { ...prepareAppend(sampleAppend(B, 0, [])), events: many },
      ];
      assert.ok(!fitsAtOnce(group));
      for (const [index, append] of group.entries()) {
        const verdicts = await writeGroup(database.writer, [append], { now: T0, epoch: undefined });
        assert.deepEqual(verdicts, [{ kind: 'accepted' }]);
        const stored = await database.reader
          .selectFrom('events')
          .select(['at', 'type', 'body'])
          .where('session_id', '=', index === 0 ? A : B)
          .orderBy('seq')
          .execute();
        assert.deepEqual(stored, append.events);
      }
    });
  });
}

function sorted(rows: readonly unknown[]): string[] {
  return rows
    .map(row => JSON.stringify(row, ['session', 'seq', 'at', 'type', 'body']))
    .toSorted((one, other) => (one < other ? -1 : 1));
}
