import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { SandpiperError } from '../../../protocol/errors.ts';
import { afterAbandoned } from '../../../server/src/sandboxes/afterAbandoned.ts';
import type { Sandbox, SandboxProvider } from '../../../server/src/sandboxes/provider.ts';

const REF = { provider: 'played', id: 'one' };
const SPEC = { key: 'key', acceptNoIsolation: false, mounts: [] };

/** A provider that says in which order it was asked for what. */
function played(endAbandoned: () => Promise<void>): { provider: SandboxProvider; asked: string[] } {
  const asked: string[] = [];
  const refuse = (what: string) => async (): Promise<Sandbox> => {
    asked.push(what);
    throw new SandpiperError('sandbox_gone', 'There is none.');
  };
  const provider: SandboxProvider = {
    id: 'played',
    probe: () => Promise.reject(new Error('not asked')),
    list: () => Promise.resolve([]),
    create: refuse('create'),
    attach: refuse('attach'),
    adopt: refuse('adopt'),
    destroy: async () => {
      asked.push('destroy');
    },
    endAbandoned: async () => {
      asked.push('end');
      await endAbandoned();
      asked.push('ended');
    },
  };
  return { provider, asked };
}

describe('a provider after what the last relay left', () => {
  it('gives no sandbox before that is ended, and ends it once', async () => {
    const gate = Promise.withResolvers<void>();
    const { provider, asked } = played(() => gate.promise);
    const guarded = afterAbandoned(provider);
    const calls = [
      guarded.create(SPEC),
      guarded.attach(REF),
      guarded.adopt?.(REF, SPEC),
      guarded.destroy(REF),
      guarded.endAbandoned?.(),
    ].map(call => Promise.resolve(call));
    const settled = Promise.allSettled(calls);
    assert.deepEqual(await guarded.list(), []);
    assert.deepEqual(asked, ['end']);
    gate.resolve();
    await settled;
    assert.deepEqual(asked.slice(0, 2), ['end', 'ended']);
    assert.deepEqual(asked.slice(2).toSorted(), ['adopt', 'attach', 'create', 'destroy']);
  });

  it('says why that failed, and tries again with the next call', async () => {
    let tries = 0;
    const { provider, asked } = played(async () => {
      tries += 1;
      if (tries === 1) {
        throw new SandpiperError('disk_full', 'The disk is full.');
      }
    });
    const guarded = afterAbandoned(provider);
    await assert.rejects(guarded.attach(REF), { code: 'disk_full' });
    await guarded.destroy(REF);
    assert.deepEqual(asked, ['end', 'end', 'ended', 'destroy']);
  });

  it('is the provider itself where nothing is left in passing', () => {
    const without = { ...played(() => Promise.resolve()).provider };
    delete without.endAbandoned;
    assert.equal(afterAbandoned(without), without);
  });
});
