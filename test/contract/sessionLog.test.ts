import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SandpiperError } from '../../protocol/errors.ts';
import type { EventBody } from '../../protocol/events.ts';
import { silentLogger } from '../../server/src/core/log.ts';
import { SessionLog } from '../../server/src/sessions/sessionLog.ts';
import { openStore } from '../../server/src/store/sqlite/openStore.ts';
import type { Append, Store } from '../../server/src/store/store.ts';
import { rejects } from '../support/rejects.ts';
import { sampleCall } from '../support/storeSamples.ts';
import { created, RUNTIME, SESSION } from '../unit/sessions/sessionFixtures.ts';

describe('the log of a session', () => {
  let folder = '';
  let store: Store;
  let log: SessionLog;
  /** What went to the store, and what it does with the next append before it stores it. */
  let appends: Append[] = [];
  let before: (append: Append) => Promise<void> = async () => {};

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandpiper-log-'));
    store = await openStore({ file: join(folder, 'store.db'), log: silentLogger });
    appends = [];
    before = async () => {};
    const watched: Store = Object.create(store, {
      append: {
        value: async (append: Append) => {
          appends.push(append);
          await before(append);
          return store.append(append);
        },
      },
    });
    const call = () => sampleCall('create');
    log = await SessionLog.create(watched, {
      sessionId: SESSION,
      events: [created],
      runtime: RUNTIME,
      call,
      onSummary: () => {},
    });
    appends = [];
  });

  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  const note = (text: string): EventBody => ({ type: 'noticeRaised', level: 'info', text });
  const stored = async (): Promise<string[]> =>
    (await store.readEvents(SESSION, 1, 100)).map(({ body }) => (body.type === 'noticeRaised' ? body.text : body.type));
  /** Runs `ask` while a commit is under way, whose fate is then `end`. */
  const during = async (ask: () => void, end: () => void = () => {}): Promise<void> => {
    const reached = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    before = async () => {
      before = async () => {};
      reached.resolve();
      await go.promise;
      end();
    };
    const first = log.update(() => ({ events: [note('first')] }));
    first.catch(() => {});
    await reached.promise;
    ask();
    go.resolve();
    await log.settled();
  };

  it('stores what comes during a commit in one, each decided on what the one before it leaves', async () => {
    const seen: number[] = [];
    const results: Promise<unknown>[] = [];
    await during(() => {
      for (const text of ['second', 'third', 'fourth']) {
        results.push(
          log
            .update(state => {
              seen.push(state.seq);
              return { events: [note(text)] };
            })
            .then(({ events }) => events.map(({ seq }) => seq)),
        );
      }
    });
    assert.deepEqual(seen, [2, 3, 4]);
    assert.deepEqual(await Promise.all(results), [[3], [4], [5]]);
    assert.equal(appends.length, 2);
    assert.deepEqual(await stored(), ['first', 'second', 'third', 'fourth']);
  });

  it('shows nothing that is not durable', async () => {
    await during(() => assert.equal(log.state.seq, 1));
    assert.equal(log.state.seq, 2);
  });

  it('fails all of a commit, and nothing of it is left', async () => {
    const late: Promise<unknown>[] = [];
    await during(() => {
      before = () => Promise.reject(new SandpiperError('disk_full', 'No room.'));
      late.push(
        log.update(() => ({ events: [note('lost')], inputs: ['line'] })),
        log.update(() => ({ events: [note('lost too')] })),
      );
    });
    await Promise.all(late.map(one => rejects(one, 'disk_full')));
    before = async () => {};
    assert.equal(log.runtime.inputs, 0);
    assert.deepEqual(log.state.seq, 2);
    const { inputs } = await log.update(() => ({ events: [note('second')], inputs: ['line'] }));
    assert.deepEqual(
      inputs.map(({ number }) => number),
      [1],
    );
    assert.deepEqual(await stored(), ['first', 'second']);
  });

  it('lets no other change fail with one whose call was answered before', async () => {
    const results: Promise<unknown>[] = [];
    await during(() => {
      results.push(
        rejects(
          log.update(() => ({ events: [note('again')], call: () => sampleCall('create') })),
          'conflict',
        ),
        log.update(() => ({ events: [note('second')] })),
      );
    });
    await Promise.all(results);
    assert.deepEqual(await stored(), ['first', 'second']);
  });

  it('keeps the record of every call', async () => {
    await during(() => {
      for (const key of ['one', 'two']) {
        void log.update(() => ({ events: [note(key)], call: () => sampleCall(key) }));
      }
    });
    assert.deepEqual(await stored(), ['first', 'one', 'two']);
    assert.ok(await store.findCall('one'));
    assert.ok(await store.findCall('two'));
  });

  it('refuses only the change whose decision throws', async () => {
    const results: Promise<unknown>[] = [];
    await during(() => {
      results.push(
        rejects(
          log.update(() => {
            throw new SandpiperError('stale', 'Too late.');
          }),
          'stale',
        ),
        log.update(() => ({ events: [note('second')] })),
      );
    });
    await Promise.all(results);
    assert.deepEqual(await stored(), ['first', 'second']);
  });

  it('lets a change that may wait ride with the next, and ends it before it says that it has settled', async () => {
    const HOUR_MS = 3_600_000;
    const riding = log.update(() => ({ events: [note('riding')] }), HOUR_MS);
    await log.update(() => ({ events: [note('driving')] }));
    await riding;
    assert.equal(appends.length, 1);
    const alone = log.update(() => ({ events: [note('alone')] }), HOUR_MS);
    assert.equal(log.unused, false);
    await log.settled();
    await alone;
    assert.deepEqual(await stored(), ['riding', 'driving', 'alone']);
  });
});
