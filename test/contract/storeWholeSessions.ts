import assert from 'node:assert/strict';
import type { SessionEvent } from '../../protocol/events.ts';
import { sampleSummary } from '../support/sampleSummary.ts';
import { sampleAppend, sampleCall, sessionId, T0 } from '../support/storeSamples.ts';
import { useStore } from './openedStore.ts';
import { failsWith, type OpenStoreIn } from './storeSuite.ts';

const A = sessionId(1);
const B = sessionId(2);
const BLOB = 'b'.repeat(64);

/** What every store must do with sessions as a whole: take one out, put one in, say what one holds. */
export function storeWholeSessionsSuite(name: string, open: OpenStoreIn): void {
  describe(`store contract, whole sessions: ${name}`, () => {
    const opened = useStore(open);

    async function* pages(...all: SessionEvent[][]): AsyncGenerator<readonly SessionEvent[]> {
      yield* all;
    }

    it('takes out a session with all that is its own, and the call with it', async () => {
      const inputs = [{ segment: 1, number: 1, line: 'hello' }];
      await opened.store.append(sampleAppend(A, 0, ['one', 'two'], { inputs }));
      await opened.store.append(sampleAppend(B, 0, ['one'], { inputs }));
      await assert.rejects(opened.store.removeSession({ sessionId: A, expectedSeq: 1 }), failsWith('conflict'));
      await opened.store.removeSession({ sessionId: A, expectedSeq: 2, call: sampleCall('key-1') });
      assert.equal(await opened.store.readSession(A), undefined);
      assert.deepEqual(await opened.store.readEvents(A, 0, 10), []);
      assert.deepEqual(await opened.store.readInputs(A, 1, 1), []);
      assert.ok(await opened.store.findCall('key-1'));
      assert.equal((await opened.store.readEvents(B, 0, 10)).length, 1, 'another session is untouched');
      assert.equal((await opened.store.readInputs(B, 1, 1)).length, 1);
      await assert.rejects(opened.store.removeSession({ sessionId: A, expectedSeq: 2 }), failsWith('conflict'));
    });

    it('puts in a session as it was, whole or not at all', async () => {
      const journal = { segment: 2, offset: 9, decoder: '{}' };
      const events = await opened.store.append(
        sampleAppend(A, 0, ['one', 'two', 'three'], { journal, runtime: '{"a":1}' }),
      );
      const row = await opened.store.readSession(A);
      assert.ok(row);
      await opened.store.removeSession({ sessionId: A, expectedSeq: 3 });
      async function* broken(): AsyncGenerator<readonly SessionEvent[]> {
        yield events.slice(0, 1);
        throw new Error('damaged');
      }
      await assert.rejects(opened.store.importSession({ sessionId: A, events: broken(), row: () => row }), /damaged/);
      assert.equal(await opened.store.readSession(A), undefined);
      assert.deepEqual(await opened.store.readEvents(A, 0, 10), []);
      await opened.store.importSession({
        sessionId: A,
        events: pages(events.slice(0, 2), events.slice(2)),
        row: () => row,
        call: sampleCall('key-2'),
      });
      assert.deepEqual(await opened.store.readSession(A), row);
      assert.deepEqual(await opened.store.readEvents(A, 0, 10), events);
      assert.ok(await opened.store.findCall('key-2'));
      await assert.rejects(
        opened.store.importSession({ sessionId: A, events: pages(), row: () => row }),
        failsWith('conflict'),
      );
      await opened.store.append(sampleAppend(A, 3, ['four']));
      assert.equal((await opened.store.activeSessions()).length, 1);
    });

    it('says how large a log is and which payloads it names', async () => {
      const text = { text: 'preview', blob: { hash: BLOB, bytes: 9, mediaType: 'text/plain' } };
      const body = { type: 'textFinished', itemId: 'i', text } as const;
      await opened.store.append(
        sampleAppend(A, 0, ['one'], { events: [{ at: T0, body }], summary: sampleSummary({ id: A }) }),
      );
      await opened.store.append(sampleAppend(B, 0, ['one']));
      const measured = await opened.store.measureSession(A);
      assert.deepEqual(measured.blobs, [BLOB]);
      assert.equal(measured.logBytes, JSON.stringify(body).length);
      assert.deepEqual((await opened.store.measureSession(B)).blobs, []);
      assert.deepEqual(await opened.store.measureSession(sessionId(3)), { logBytes: 0, blobs: [] });
    });
  });
}
