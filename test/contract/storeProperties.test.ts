import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { SandpiperError } from '../../protocol/errors.ts';
import { silentLogger } from '../../server/src/core/log.ts';
import { openStore } from '../../server/src/store/sqlite/openStore.ts';
import type { Store } from '../../server/src/store/store.ts';
import { sampleAppend, sampleCall, sessionId } from '../support/storeSamples.ts';

/** What a writer may do, and what may happen to it. */
type Step =
  /** `stale` is how far behind the log the writer believes to be. */
  | { kind: 'append'; session: number; texts: string[]; stale: number; key: number | undefined; together: boolean }
  /** As a process that dies: its connections stay open, and another store opens the file. */
  | { kind: 'abandon' }
  | { kind: 'reopen' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      session: fc.integer({ min: 1, max: 3 }),
      texts: fc.array(fc.string({ maxLength: 5 }), { maxLength: 4 }),
      stale: fc.constantFrom(0, 0, 0, 1, -1),
      key: fc.option(fc.nat(5), { nil: undefined }),
      together: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'abandon' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'reopen' }) },
);

/** What the store must hold. */
class Model {
  readonly logs = new Map<string, string[]>();
  readonly keys = new Set<string>();

  lastSeq(id: string): number {
    return this.logs.get(id)?.length ?? 0;
  }
}

describe('the log of a store, whatever happens', () => {
  it('is gapless, holds what was acknowledged exactly once and nothing of what was refused', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
        const folder = await mkdtemp(join(tmpdir(), 'sandpiper-log-'));
        const open: Store[] = [];
        const openOne = async () => {
          const store = await openStore({ file: join(folder, 'store.db'), log: silentLogger });
          open.push(store);
          return store;
        };
        try {
          const model = new Model();
          let store = await openOne();
          let waiting: Promise<void>[] = [];
          for (const next of steps) {
            if (next.kind === 'append') {
              waiting.push(append(store, model, next));
              if (next.together) {
                // The next one is asked for while this is being written.
                continue;
              }
            }
            await Promise.all(waiting);
            waiting = [];
            if (next.kind === 'reopen') {
              await store.close();
            }
            store = next.kind === 'append' ? store : await openOne();
          }
          await Promise.all(waiting);
          await agrees(store, model);
          await agrees(await openOne(), model);
        } finally {
          await Promise.all(open.map(store => store.close()));
          await rm(folder, { recursive: true, force: true });
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** Appends, and notes in the model what must now be there. The model is asked and told in the order of the calls. */
async function append(store: Store, model: Model, { session, texts, stale, key, ...rest }: Step & { kind: 'append' }) {
  const id = sessionId(session);
  const expectedSeq = Math.max(0, model.lastSeq(id) - stale);
  const callKey = key === undefined ? undefined : `key-${key}-of-the-model`;
  const isRefused = expectedSeq !== model.lastSeq(id) || (callKey !== undefined && model.keys.has(callKey));
  if (!isRefused) {
    model.logs.set(id, [...(model.logs.get(id) ?? []), ...texts]);
    if (callKey !== undefined) {
      model.keys.add(callKey);
    }
  }
  assert.equal(rest.kind, 'append');
  const appending = store.append(
    sampleAppend(id, expectedSeq, texts, callKey === undefined ? {} : { call: sampleCall(callKey) }),
  );
  if (isRefused) {
    await assert.rejects(appending, (error: unknown) => error instanceof SandpiperError && error.code === 'conflict');
  } else {
    const events = await appending;
    assert.deepEqual(
      events.map(({ seq }) => seq),
      texts.map((_, index) => expectedSeq + index + 1),
    );
  }
}

async function agrees(store: Store, model: Model): Promise<void> {
  for (const [id, texts] of model.logs) {
    const events = await store.readEvents(id, 0, 10_000);
    assert.deepEqual(
      events.map(({ seq, body }) => [seq, body.type === 'textFinished' ? body.text.text : '']),
      texts.map((text, index) => [index + 1, text.padEnd(200, '.')]),
    );
    assert.equal((await store.readSession(id))?.lastSeq, texts.length);
    for (const after of [1, texts.length - 1, texts.length].filter(seq => seq >= 0)) {
      assert.equal((await store.readEvents(id, after, 10_000)).length, Math.max(0, texts.length - after));
    }
  }
  for (const key of model.keys) {
    assert.equal((await store.findCall(key))?.key, key);
  }
}
