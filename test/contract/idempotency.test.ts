import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { silentLogger } from '../../server/src/core/log.ts';
import { Idempotency, type RecordOf } from '../../server/src/sessions/idempotency.ts';
import { openStore } from '../../server/src/store/sqlite/openStore.ts';
import type { Store } from '../../server/src/store/store.ts';
import { rejects } from '../support/rejects.ts';

const PARAMS = { sessionId: 'ses_00000000000000000000000001', force: false, key: 'key-of-the-call' };
const ANSWER = { deletedAt: 1, restorableUntil: 2, missing: [] };

describe('a call with a key', () => {
  let folder = '';
  let store: Store;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandpiper-test-'));
    store = await openStore({ file: join(folder, 'relay.db'), log: silentLogger });
  });
  afterEach(async () => {
    await store?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const remember = (result: object) => async (record: RecordOf) => {
    await store.recordCall(record(result));
    return ANSWER;
  };
  const remove = (effect: (record: RecordOf) => Promise<typeof ANSWER>, params = PARAMS) =>
    new Idempotency(store).once('session.delete', params, effect);

  it('has one effect, and its answer is kept', async () => {
    assert.deepEqual(await remove(remember(ANSWER)), ANSWER);
    assert.deepEqual(await remove(() => assert.fail('twice')), ANSWER);
    await rejects(
      remove(() => assert.fail('another'), { ...PARAMS, force: true }),
      'key_reused',
    );
  });

  it('gives the answer that another gave while it was at work', async () => {
    const first = { ...ANSWER, deletedAt: 7 };
    const answer = await remove(async record => {
      await remove(remember(first));
      await store.recordCall(record(ANSWER));
      return ANSWER;
    });
    assert.deepEqual(answer, first);
  });

  it('fails as its effect does when nobody answered it', async () => {
    await assert.rejects(
      remove(() => Promise.reject(new Error('no room'))),
      /no room/,
    );
    assert.deepEqual(await remove(remember(ANSWER)), ANSWER);
  });
});
