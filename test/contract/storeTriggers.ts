import assert from 'node:assert/strict';
import type { FiringRow } from '../../server/src/store/triggerStore.ts';
import { T0 } from '../support/storeSamples.ts';
import { useStore } from './openedStore.ts';
import type { OpenStoreIn } from './storeSuite.ts';

const HOUR = 3600_000;

/** What every store must do with what asks for sessions: each is there once, and no more of them than are allowed. */
export function storeTriggersSuite(name: string, open: OpenStoreIn): void {
  describe(`store contract, triggers: ${name}`, () => {
    const opened = useStore(open);

    const add = (key: string, more: { trigger?: string; at?: number; subject?: string; max?: number } = {}) => {
      const { trigger = 'hook a', at = T0, max = 100, ...rest } = more;
      const cap = { since: at - HOUR, max, reason: 'Too many.' };
      return opened.store.triggers.addFiring({ key, trigger, at, dueAt: at, data: `{"of":"${key}"}`, ...rest }, cap);
    };
    const settle = (key: string, state: FiringRow['state'], sessionId?: string) =>
      opened.store.triggers.settleFiring({ key, state, sessionId, attempts: 1, dueAt: T0, reason: undefined });
    const waiting = async () => (await opened.store.triggers.waitingFirings(10)).map(({ key }) => key);

    it('keeps a firing once, in order, also after a restart, and what begins only until it began', async () => {
      assert.equal(await add('b'), 'added');
      assert.equal(await add('a', { subject: 's' }), 'added');
      assert.equal(await add('b', { at: T0 + 5 }), 'there');
      await opened.reopen();
      assert.deepEqual(await waiting(), ['b', 'a']);
      await settle('b', 'begun', 'ses_1');
      assert.equal(await add('b'), 'there');
      assert.deepEqual(await waiting(), ['a']);
      assert.deepEqual(await opened.store.triggers.readFiring('b'), {
        key: 'b',
        number: 1,
        trigger: 'hook a',
        at: T0,
        state: 'begun',
        subject: undefined,
        sessionId: 'ses_1',
        attempts: 1,
        dueAt: T0,
        reason: undefined,
        data: undefined,
      });
      await settle('a', 'dead');
      assert.equal((await opened.store.triggers.readFiring('a'))?.data, '{"of":"a"}');
      const found = await opened.store.triggers.listFirings({
        trigger: 'hook a',
        subject: 's',
        state: 'dead',
        limit: 9,
      });
      assert.deepEqual(
        found.map(({ key }) => key),
        ['a'],
      );
      assert.deepEqual(await opened.store.triggers.listFirings({ trigger: 'hook b', limit: 9 }), []);
    });

    it('takes no more of a trigger than are allowed, however many come at once, and one that was refused later', async () => {
      const results = await Promise.all(['1', '2', '3', '4', '5'].map(key => add(key, { max: 2 })));
      assert.deepEqual(results.toSorted(), ['added', 'added', 'refused', 'refused', 'refused']);
      assert.equal(await add('6', { max: 2, trigger: 'hook b' }), 'added');
      const refused = (await opened.store.triggers.listFirings({ state: 'refused', limit: 9 })).map(({ key }) => key);
      const [first = ''] = refused;
      const row = await opened.store.triggers.readFiring(first);
      assert.deepEqual([row?.reason, row?.data], ['Too many.', undefined]);
      assert.equal(await add(first, { max: 2, at: T0 + HOUR - 1 }), 'refused');
      assert.equal(await add(first, { max: 2, at: T0 + HOUR }), 'added');
      const again = await opened.store.triggers.readFiring(first);
      assert.deepEqual([again?.state, again?.reason, again?.at], ['waiting', undefined, T0 + HOUR]);
      // Clocks are set back.
      assert.equal(await add('7', { max: 1, at: T0 - 2 * HOUR }), 'added');
    });

    it('says when a trigger was last due up to a moment', async () => {
      await add('1', { at: T0 });
      await add('2', { at: T0 + 10 });
      await add('3', { at: T0 + 99, trigger: 'hook b' });
      assert.equal(await opened.store.triggers.lastFiring('hook a', T0 + 99), T0 + 10);
      assert.equal(await opened.store.triggers.lastFiring('hook a', T0 + 9), T0);
      assert.equal(await opened.store.triggers.lastFiring('hook a', T0 - 1), undefined);
    });

    it('forgets what is old and over, but not the newest of a trigger', async () => {
      for (let index = 0; index < 103; index++) {
        await add(`k${index}`, { at: T0 + index, max: 1000 });
        await settle(`k${index}`, index === 1 ? 'waiting' : 'begun');
      }
      await add('other', { trigger: 'hook b' });
      await settle('other', 'begun');
      await opened.store.triggers.pruneFirings(T0 + 10 * HOUR);
      const left = (await opened.store.triggers.listFirings({ limit: 500 })).map(({ key }) => key).toReversed();
      assert.deepEqual(left.slice(0, 3), ['k1', 'k3', 'k4']);
      assert.equal(left.length, 102);
    });
  });
}
