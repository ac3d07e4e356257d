import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SandpiperError } from '../../protocol/errors.ts';
import type { EventBody } from '../../protocol/events.ts';
import type { Store } from '../../server/src/store/store.ts';
import { sampleSummary } from '../support/sampleSummary.ts';
import { sampleAppend, sampleCall, sampleClaim, sampleEvent, sessionId, T0 } from '../support/storeSamples.ts';

/** Opens the store that lies in a folder; `now` is milliseconds since the epoch. */
export type OpenStoreIn = (folder: string, now?: () => number) => Promise<Store>;

const DAY_MS = 24 * 60 * 60 * 1000;
const A = sessionId(1);
const B = sessionId(2);

/** A check for assert.rejects. */
export function failsWith(code: string, details?: Record<string, unknown>): (error: unknown) => true {
  return error => {
    assert(error instanceof SandpiperError, `expected a SandpiperError, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    if (details) {
      assert.deepEqual({ ...error.details, ...details }, error.details);
    }
    return true;
  };
}

/** What every store must do. */
export function storeSuite(name: string, open: OpenStoreIn): void {
  describe(`store contract: ${name}`, () => {
    let folder = '';
    let store: Store;
    let now = T0;

    beforeEach(async () => {
      now = T0;
      folder = await mkdtemp(join(tmpdir(), 'sandpiper-store-'));
      store = await open(folder, () => now);
    });

    afterEach(async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    });

    async function reopen(): Promise<void> {
      await store.close();
      store = await open(folder, () => now);
    }

    it('replays what was appended, in pages, also after a restart', async () => {
      const written = await store.append(sampleAppend(A, 0, ['one', 'two', 'three']));
      await store.append(sampleAppend(A, 3, ['four', 'five']));
      assert.deepEqual(
        written.map(event => event.seq),
        [1, 2, 3],
      );
      await reopen();
      const all = await store.readEvents(A, 0, 100);
      assert.deepEqual(all.slice(0, 3), written);
      assert.deepEqual(
        all.map(event => [event.seq, event.at]),
        [1, 2, 3, 4, 5].map(seq => [seq, T0 + seq - 1]),
      );
      assert.deepEqual(await store.readEvents(A, 1, 2), all.slice(1, 3));
      assert.deepEqual(await store.readEvents(A, 5, 100), []);
      assert.deepEqual(await store.readEvents(B, 0, 100), []);
    });

    it('keeps text exactly: quotes, line ends, NUL, emoji, lone surrogates', async () => {
      const text = 'a\'b"c\\d\r\n\u0000\u2028 \u{1f426} \ud800 ${x} %s';
      const body: EventBody = { type: 'noticeRaised', level: 'info', text };
      await store.append(sampleAppend(A, 0, [], { events: [{ at: T0, body }], runtime: JSON.stringify({ text }) }));
      assert.deepEqual((await store.readEvents(A, 0, 1))[0]?.body, body);
      assert.deepEqual(JSON.parse((await store.readSession(A))?.runtime ?? ''), { text });
    });

    it('takes a summary, runtime and journal with the events and keeps what an append leaves out', async () => {
      const journal = { segment: 2, offset: 4711, decoder: '{"depth":1}' };
      await store.append(sampleAppend(A, 0, ['one'], { runtime: '{"sandbox":"x"}', journal }));
      await store.append(sampleAppend(A, 1, ['two']));
      const row = await store.readSession(A);
      assert.deepEqual(row, {
        sessionId: A,
        lastSeq: 2,
        summary: sampleSummary({ id: A, seq: 2, updatedAt: T0 + 2 }),
        runtime: '{"sandbox":"x"}',
        journal,
      });
      assert.equal(await store.readSession(B), undefined);
    });

    it('keeps runtime and journal that only an earlier append of the same group gave', async () => {
      const journal = { segment: 1, offset: 10, decoder: '{}' };
      await Promise.all([
        store.append(sampleAppend(A, 0, ['one'], { runtime: '{"a":1}', journal })),
        store.append(sampleAppend(A, 1, ['two'])),
      ]);
      const row = await store.readSession(A);
      assert.deepEqual([row?.runtime, row?.journal, row?.lastSeq], ['{"a":1}', journal, 2]);
    });

    it('changes a session without an event', async () => {
      await store.append(sampleAppend(A, 0, ['one']));
      assert.deepEqual(await store.append(sampleAppend(A, 1, [], { runtime: '{"b":2}' })), []);
      const row = await store.readSession(A);
      assert.deepEqual([row?.lastSeq, row?.runtime], [1, '{"b":2}']);
    });

    it('refuses an append that expects another seq and changes nothing', async () => {
      await store.append(sampleAppend(A, 0, ['one', 'two']));
      for (const expectedSeq of [0, 1, 3]) {
        await assert.rejects(
          store.append(
            sampleAppend(A, expectedSeq, ['wrong'], { runtime: '{"wrong":true}', call: sampleCall('wrong') }),
          ),
          failsWith('conflict', { lastSeq: 2 }),
        );
      }
      await assert.rejects(store.append(sampleAppend(B, 1, ['wrong'])), failsWith('conflict', { lastSeq: 0 }));
      assert.equal((await store.readSession(A))?.runtime, '{}');
      assert.equal((await store.readEvents(A, 0, 10)).length, 2);
      assert.equal(await store.readSession(B), undefined);
      assert.equal(await store.findCall('wrong'), undefined);
    });

    it('is gapless under 40 concurrent appends to 5 sessions', async () => {
      const ids = [1, 2, 3, 4, 5].map(sessionId);
      const seqs = new Map(ids.map(id => [id, 0]));
      await Promise.all(
        Array.from({ length: 40 }, (_, index) => {
          const id = ids[index % ids.length] ?? A;
          const seq = seqs.get(id) ?? 0;
          seqs.set(id, seq + 2);
          return store.append(sampleAppend(id, seq, [`${index} first`, `${index} second`]));
        }),
      );
      for (const id of ids) {
        const events = await store.readEvents(id, 0, 1000);
        assert.deepEqual(
          events.map(event => event.seq),
          Array.from({ length: 16 }, (_, index) => index + 1),
        );
        assert.equal((await store.readSession(id))?.lastSeq, 16);
      }
    });

    it('lets one of 20 racers win and no refused append harm the others of its group', async () => {
      const outcomes = await Promise.allSettled([
        ...Array.from({ length: 20 }, (_, index) => store.append(sampleAppend(A, 0, [`racer ${index}`]))),
        ...Array.from({ length: 20 }, (_, index) => store.append(sampleAppend(sessionId(100 + index), 0, ['other']))),
      ]);
      const won = outcomes.slice(0, 20).filter(outcome => outcome.status === 'fulfilled');
      const others = outcomes.slice(20).filter(outcome => outcome.status === 'fulfilled');
      assert.deepEqual([won.length, others.length], [1, 20]);
      assert.equal((await store.readEvents(A, 0, 10)).length, 1);
      assert.equal((await store.activeSessions()).length, 21);
    });

    it('isolates an append that breaks a rule of the tables', async () => {
      const input = { segment: 1, number: 1, line: 'hello' };
      await store.append(sampleAppend(A, 0, ['one'], { inputs: [input] }));
      const [bad, good] = await Promise.allSettled([
        store.append(sampleAppend(A, 1, ['two'], { inputs: [input] })),
        store.append(sampleAppend(B, 0, ['one'])),
      ]);
      assert.deepEqual([bad.status, good.status], ['rejected', 'fulfilled']);
      await assert.rejects(store.append(sampleAppend(A, 1, ['two'], { inputs: [input] })), failsWith('conflict'));
      assert.equal((await store.readSession(A))?.lastSeq, 1);
    });

    it('records a call with its effect once, also when both come in one group', async () => {
      const call = sampleCall('key_1');
      await store.append(sampleAppend(A, 0, ['one'], { call }));
      assert.deepEqual(await store.findCall('key_1'), call);
      await assert.rejects(
        store.append(sampleAppend(A, 1, ['again'], { call })),
        failsWith('conflict', { key: 'key_1' }),
      );
      await assert.rejects(store.recordCall(call), failsWith('conflict', { key: 'key_1' }));
      const twice = await Promise.allSettled(
        [A, B].map(id => store.append(sampleAppend(id, id === A ? 1 : 0, ['x'], { call: sampleCall('key_2') }))),
      );
      assert.deepEqual(
        twice.map(outcome => outcome.status),
        ['fulfilled', 'rejected'],
      );
      assert.equal((await store.readSession(A))?.lastSeq, 2);
      assert.equal(await store.readSession(B), undefined);
    });

    it('forgets answered calls after seven days', async () => {
      await store.recordCall(sampleCall('old'));
      now = T0 + 3 * DAY_MS;
      await store.recordCall(sampleCall('younger'));
      assert.notEqual(await store.findCall('old'), undefined);
      now = T0 + 8 * DAY_MS;
      await store.append(sampleAppend(A, 0, ['one'], { call: sampleCall('new') }));
      assert.equal(await store.findCall('old'), undefined);
      assert.notEqual(await store.findCall('younger'), undefined);
      assert.notEqual(await store.findCall('new'), undefined);
    });

    it('keeps inputs by segment and number', async () => {
      const inputs = [1, 2, 3].map(number => ({ segment: 1, number, line: `line ${number}` }));
      await store.append(sampleAppend(A, 0, ['one'], { inputs }));
      await store.append(sampleAppend(A, 1, [], { inputs: [{ segment: 2, number: 1, line: 'next segment' }] }));
      assert.deepEqual(await store.readInputs(A, 1, 2), inputs.slice(1));
      assert.deepEqual(await store.readInputs(A, 2, 1), [{ segment: 2, number: 1, line: 'next segment' }]);
      assert.deepEqual(await store.readInputs(B, 1, 1), []);
    });

    it('lists by activity in pages that neither repeat nor leave out', async () => {
      for (let number = 1; number <= 7; number++) {
        // Three sessions share each time, so that the id has to decide.
        const summary = sampleSummary({
          id: sessionId(number),
          updatedAt: T0 + Math.floor(number / 3),
          archived: number === 4,
        });
        await store.append({ sessionId: sessionId(number), expectedSeq: 0, events: [], summary });
      }
      const seen: string[] = [];
      let before: { updatedAt: number; sessionId: string } | undefined;
      for (;;) {
        const page = await store.listSessions({ archived: false, limit: 2, ...(before ? { before } : {}) });
        const last = page.at(-1);
        if (!last) {
          break;
        }
        seen.push(...page.map(row => row.sessionId));
        before = { updatedAt: last.summary.updatedAt, sessionId: last.sessionId };
      }
      assert.deepEqual(seen, [7, 6, 5, 3, 2, 1].map(sessionId));
      const archived = await store.listSessions({ archived: true, limit: 10 });
      assert.deepEqual(
        archived.map(row => row.sessionId),
        [sessionId(4)],
      );
      assert.equal((await store.activeSessions()).length, 6);
    });

    it('takes large appends and many at once', async () => {
      const line = 'x'.repeat(1_000_000);
      await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          store.append(
            sampleAppend(sessionId(index), 0, ['one'], { inputs: [{ segment: 1, number: 1, line: line + index }] }),
          ),
        ),
      );
      assert.equal((await store.readInputs(sessionId(11), 1, 1))[0]?.line, `${line}11`);
      const events = Array.from({ length: 5000 }, (_, index) => ({ at: T0, body: sampleEvent(`event ${index}`) }));
      await store.append(sampleAppend(A, 1, [], { events }));
      assert.equal((await store.readEvents(A, 0, 10_000)).length, 5001);
    });

    it('keeps settings and proves that it works', async () => {
      assert.equal(await store.readSetting('name'), undefined);
      await store.writeSetting('name', '1');
      await store.writeSetting('name', '{"a":2}');
      await store.check();
      await reopen();
      assert.equal(await store.readSetting('name'), '{"a":2}');
    });

    it('belongs to one owner at a time; the one that lost it writes nothing', async () => {
      const other = await open(folder, () => now);
      try {
        const epoch = await store.takeLease(sampleClaim('first'));
        await store.append(sampleAppend(A, 0, ['one']));
        await assert.rejects(other.takeLease(sampleClaim('second')), failsWith('conflict', { pid: 4711 }));
        await assert.rejects(other.append(sampleAppend(B, 0, ['no owner'])), failsWith('fenced'));

        const seen = await other.readLease();
        await store.renewLease({ locked: false });
        await assert.rejects(
          other.takeLease(sampleClaim('second', { silent: seen })),
          failsWith('conflict'),
          'it has given a sign of life',
        );
        const silent = await other.readLease();
        assert.equal(await other.takeLease(sampleClaim('second', { silent })), epoch + 1);

        const call = sampleCall('late');
        const outcomes = await Promise.allSettled([
          store.append(sampleAppend(A, 1, ['late'], { call, runtime: '{"late":true}' })),
          store.append(sampleAppend(B, 0, ['late'])),
          store.recordCall(call),
          store.writeSetting('late', '1'),
          store.check(),
          store.renewLease({ locked: true }),
        ]);
        for (const outcome of outcomes) {
          assert.equal(outcome.status, 'rejected');
          failsWith('fenced')(outcome.reason);
        }
        await store.releaseLease();
        const row = await other.readLease();
        assert.deepEqual(row, {
          epoch: epoch + 1,
          holder: 'second',
          pid: 4711,
          version: '1',
          beat: 0,
          locked: false,
          released: false,
        });
        assert.equal((await other.readSession(A))?.lastSeq, 1);
        assert.equal((await other.readSession(A))?.runtime, '{}');
        assert.equal(await other.readSession(B), undefined);
        assert.equal(await other.findCall('late'), undefined);
        assert.equal(await other.readSetting('late'), undefined);
        await other.append(sampleAppend(A, 1, ['two']));
      } finally {
        await other.close();
      }
    });

    it('can be owned again when its owner has let go, or is known to be dead', async () => {
      const first = await store.takeLease(sampleClaim('first', { locked: true }));
      await reopen();
      assert.equal((await store.readLease())?.holder, 'first');
      await assert.rejects(store.takeLease(sampleClaim('second')), failsWith('conflict'), 'it may live');
      assert.equal(await store.takeLease(sampleClaim('second', { locked: true })), first + 1, 'its lock is free');
      await store.append(sampleAppend(A, 0, ['one']));
      await store.releaseLease();
      await assert.rejects(store.append(sampleAppend(A, 1, ['after'])), failsWith('fenced'));
      await reopen();
      await store.append(sampleAppend(A, 1, ['nobody owns it']));
      assert.equal(await store.takeLease(sampleClaim('third')), first + 2);
    });

    it('finishes what was queued before it closes, and says so afterwards', async () => {
      const appends = Array.from({ length: 30 }, (_, index) =>
        store.append(sampleAppend(sessionId(index), 0, ['one'])),
      );
      const closed = store.close();
      await Promise.all([...appends, closed, store.close()]);
      await assert.rejects(store.append(sampleAppend(A, 1, ['late'])), failsWith('unavailable'));
      await assert.rejects(store.readSession(A), failsWith('unavailable'));
      store = await open(folder);
      assert.equal((await store.activeSessions()).length, 30);
    });
  });
}
