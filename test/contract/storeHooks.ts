import assert from 'node:assert/strict';
import { T0 } from '../support/storeSamples.ts';
import { useStore } from './openedStore.ts';
import type { OpenStoreIn } from './storeSuite.ts';

/** What every store must do with webhooks: a delivery is there once, and what came of it is written with its end. */
export function storeHooksSuite(name: string, open: OpenStoreIn): void {
  describe(`store contract, webhooks: ${name}`, () => {
    const opened = useStore(open);

    const delivery = (id: string, more: { reason?: string; at?: number } = {}) => ({
      id,
      event: 'issues',
      action: 'labeled',
      repository: 'o/r',
      lane: 'o/r#1',
      at: T0,
      body: `{"of":"${id}"}`,
      ...more,
    });
    const waiting = async () => (await opened.store.hooks.waitingDeliveries(10)).map(({ id }) => id);

    it('keeps a delivery once, in order, also after a restart', async () => {
      assert.equal(await opened.store.hooks.addDelivery(delivery('b')), true);
      assert.equal(await opened.store.hooks.addDelivery(delivery('a')), true);
      assert.equal(await opened.store.hooks.addDelivery({ ...delivery('b'), body: 'another' }), false);
      assert.equal(await opened.store.hooks.addDelivery(delivery('c', { reason: 'Nothing to do.' })), true);
      await opened.reopen();
      assert.deepEqual(await waiting(), ['b', 'a']);
      assert.equal((await opened.store.hooks.readDelivery('b'))?.body, '{"of":"b"}');
      assert.deepEqual(
        (await opened.store.hooks.listDeliveries({ limit: 2 })).map(({ id, state }) => [id, state]),
        [
          ['c', 'ignored'],
          ['a', 'waiting'],
        ],
      );
      assert.equal((await opened.store.hooks.readDelivery('c'))?.body, undefined);
      assert.equal(await opened.store.hooks.readDelivery('d'), undefined);
    });

    it('ends a delivery with its request, which is there once', async () => {
      await opened.store.hooks.addDelivery(delivery('a'));
      await opened.store.hooks.addDelivery(delivery('b'));
      const request = { key: 'k', subject: 'o/r#1', at: T0, data: '{"n":1}' };
      const settled = { state: 'done' as const, attempts: 1, dueAt: T0 };
      await opened.store.hooks.settleDelivery({ id: 'a', ...settled, request });
      await opened.store.hooks.writeRequest({
        key: 'k',
        state: 'open',
        sessionId: 'ses_1',
        attempts: 2,
        dueAt: T0 + 9,
        reason: 'why',
        data: '{"n":2}',
      });
      await opened.store.hooks.settleDelivery({ id: 'b', ...settled, request });
      assert.equal(await opened.store.hooks.addRequest(request), false);
      assert.deepEqual(await waiting(), []);
      const row = await opened.store.hooks.readRequest('k');
      assert.deepEqual(row, {
        key: 'k',
        subject: 'o/r#1',
        at: T0,
        state: 'open',
        sessionId: 'ses_1',
        attempts: 2,
        dueAt: T0 + 9,
        reason: 'why',
        data: '{"n":2}',
      });
      assert.deepEqual(await opened.store.hooks.openRequests(), [row]);
      assert.deepEqual(await opened.store.hooks.listRequests({ subject: 'o/r#2', limit: 5 }), []);
      const { body, request: key } = (await opened.store.hooks.readDelivery('b')) ?? {};
      assert.deepEqual([body, key], [undefined, 'k']);
    });

    it('forgets what is old and not waiting', async () => {
      await opened.store.hooks.addDelivery(delivery('old', { reason: 'no' }));
      await opened.store.hooks.addDelivery(delivery('waits'));
      await opened.store.hooks.addDelivery(delivery('new', { reason: 'no', at: T0 + 10 }));
      await opened.store.hooks.pruneDeliveries(T0 + 5);
      assert.deepEqual(
        (await opened.store.hooks.listDeliveries({ limit: 9 })).map(({ id }) => id),
        ['new', 'waits'],
      );
    });
  });
}
