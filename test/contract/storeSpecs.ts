import assert from 'node:assert/strict';
import { newId } from '../../protocol/ids.ts';
import { sampleCall, sampleClaim, T0 } from '../support/storeSamples.ts';
import { useStore } from './openedStore.ts';
import { failsWith, type OpenStoreIn } from './storeSuite.ts';

/** What every store must do with specs: every revision is kept, and none is written over. */
export function storeSpecsSuite(name: string, open: OpenStoreIn): void {
  describe(`store contract, specs: ${name}`, () => {
    const opened = useStore(open);

    const A = newId('spc', T0);
    const B = newId('spc', T0 + 1);
    const write = (specId: string, expectedRevision: number, text: string, at = T0) =>
      opened.store.writeSpec({ specId, expectedRevision, title: `T ${text}`, text, at });

    it('keeps revisions in order, also after a restart', async () => {
      await write(A, 0, 'one');
      await write(A, 1, 'two', T0 + 5);
      await opened.reopen();
      assert.deepEqual(await opened.store.readSpec(A), {
        specId: A,
        revision: 2,
        title: 'T two',
        text: 'two',
        at: T0 + 5,
        createdAt: T0,
        removed: false,
      });
      assert.equal((await opened.store.readSpec(A, 1))?.text, 'one');
      assert.equal(await opened.store.readSpec(A, 3), undefined);
      assert.equal(await opened.store.readSpec(B), undefined);
      assert.deepEqual(await opened.store.listRevisions(A), [
        { revision: 1, at: T0, title: 'T one' },
        { revision: 2, at: T0 + 5, title: 'T two' },
      ]);
    });

    it('refuses a write that does not know the newest revision, and changes nothing', async () => {
      await write(A, 0, 'one');
      const call = sampleCall('key-1');
      for (const expectedRevision of [0, 2]) {
        await assert.rejects(
          opened.store.writeSpec({ specId: A, expectedRevision, title: 'T', text: 'lost', at: T0, call }),
          failsWith('stale', { revision: 1 }),
        );
      }
      assert.equal((await opened.store.readSpec(A))?.text, 'one');
      assert.equal(await opened.store.findCall('key-1'), undefined, 'nor is the call recorded');
    });

    it('writes one of many that come at once', async () => {
      await write(A, 0, 'one');
      const results = await Promise.allSettled(['a', 'b', 'c', 'd'].map(text => write(A, 1, text)));
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      assert.equal((await opened.store.listRevisions(A)).length, 2);
    });

    it('records the call with the write', async () => {
      await opened.store.writeSpec({
        specId: A,
        expectedRevision: 0,
        title: 'T',
        text: 't',
        at: T0,
        call: sampleCall('key-2'),
      });
      assert.ok(await opened.store.findCall('key-2'));
    });

    it('lists the newest first, and those that were removed apart', async () => {
      await write(A, 0, 'one', T0);
      await write(B, 0, 'two', T0 + 1);
      const ids = async (removed: boolean) => (await opened.store.listSpecs({ removed })).map(({ specId }) => specId);
      assert.deepEqual(await ids(false), [B, A]);
      await write(A, 1, 'three', T0 + 2);
      assert.deepEqual(await ids(false), [A, B]);
      await opened.store.removeSpec({ specId: A, removed: true, call: sampleCall('key-3') });
      assert.deepEqual([await ids(false), await ids(true)], [[B], [A]]);
      assert.equal((await opened.store.readSpec(A))?.removed, true, 'it is kept');
      await opened.store.removeSpec({ specId: A, removed: false });
      assert.deepEqual(await ids(true), []);
      await assert.rejects(opened.store.removeSpec({ specId: newId('spc'), removed: true }), failsWith('not_found'));
    });

    it('is written by nobody but its owner', async () => {
      await opened.store.takeLease(sampleClaim('one'));
      const other = await open(opened.folder);
      await assert.rejects(
        other.writeSpec({ specId: A, expectedRevision: 0, title: 'T', text: 't', at: T0 }),
        failsWith('fenced'),
      );
      await other.close();
      await write(A, 0, 'mine');
    });
  });
}
