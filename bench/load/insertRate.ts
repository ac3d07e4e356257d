import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { z } from 'zod';
import type { EventBody } from '../../protocol/events.ts';
import { newId } from '../../protocol/ids.ts';
import { reduceEvents } from '../../protocol/reducer.ts';
import { summarize } from '../../protocol/summarize.ts';
import { runOrThrow } from '../../scripts/setup/command.ts';
import { silentLogger } from '../../server/src/core/log.ts';
import { openStore } from '../../server/src/store/sqlite/openStore.ts';
import { median, type Measurement } from '../figure.ts';

const FLOOR_PACKAGE = 'better-sqlite3@13.2.0';
const BATCH = 100;
const WINDOW_MS = 1500;
const BODY: EventBody = { type: 'textFinished', itemId: 'msg_load:0', text: { text: 'lorem ipsum '.repeat(15) } };

/** Of the floor only what is used. */
const floorSchema = z.custom<new (file: string) => FloorDatabase>(value => typeof value === 'function');
interface FloorDatabase {
  exec(sql: string): void;
  prepare(sql: string): { run(...values: unknown[]): void };
  close(): void;
}

/**
 * Events a second into the relay's store, a hundred an append, each append awaited; beside it better-sqlite3 that writes the
 * same rows into the same tables with the same durability, a hundred a transaction.
 */
export const insertRate: Measurement = {
  figures: [{ name: 'insert-rate-over-better-sqlite3', unit: 'ratio', aim: 0.75, better: 'more' }],
  needs: [],
  async take(bench) {
    const cache = join(bench.folder, 'floor');
    await mkdir(cache);
    const npm = ['install', '--prefix', cache, '--no-audit', '--no-fund', '--no-save', FLOOR_PACKAGE];
    await runOrThrow('npm', npm, { timeoutMs: 120_000 });
    const Floor = floorSchema.parse(createRequire(join(cache, 'index.js'))('better-sqlite3'));
    const ours: number[] = [];
    const floor: number[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      // Its tables are those of the relay: the file is made by its migrations.
      const file = join(bench.folder, `floor${round}.db`);
      await (await openStore({ file, log: silentLogger })).close();
      ours.push(await ourRate(join(bench.folder, `ours${round}.db`)));
      floor.push(await floorRate(new Floor(file)));
      bench.report(`round ${round}: ${ours.at(-1)?.toFixed(0)} against ${floor.at(-1)?.toFixed(0)} events a second`);
    }
    const ratios = ours.map((rate, round) => rate / (floor[round] ?? Number.NaN));
    const how = `${FLOOR_PACKAGE} with its own prebuilt binary; journal_mode wal, synchronous normal on both sides`;
    return {
      'insert-rate-over-better-sqlite3': { value: median(ratios), raw: { unit: 'events/s', ours, floor, how } },
    };
  },
};

async function ourRate(file: string): Promise<number> {
  const store = await openStore({ file, log: silentLogger });
  const { sessionId, created, summary } = newSession();
  await store.append({ sessionId, expectedSeq: 0, events: [created], summary, runtime: '{}' });
  const events = Array.from({ length: BATCH }, () => ({ at: Date.now(), body: BODY }));
  const rate = await during(async done => {
    await store.append({ sessionId, expectedSeq: 1 + done, events, summary });
  });
  await store.close();
  return rate;
}

async function floorRate(database: FloorDatabase): Promise<number> {
  database.exec('pragma journal_mode = wal; pragma synchronous = normal');
  const { sessionId, summary } = newSession();
  const [row, body] = [JSON.stringify(summary), JSON.stringify(BODY)];
  const session = database.prepare(
    'insert into sessions (id, last_seq, updated_at, archived, summary) values (?, ?, ?, 0, ?) ' +
      'on conflict (id) do update set last_seq = excluded.last_seq, updated_at = excluded.updated_at, ' +
      'summary = excluded.summary',
  );
  const event = database.prepare('insert into events (session_id, seq, at, type, body) values (?, ?, ?, ?, ?)');
  const rate = await during(async done => {
    database.exec('begin immediate');
    session.run(sessionId, done + BATCH, Date.now(), row);
    for (let index = 1; index <= BATCH; index++) {
      event.run(sessionId, done + index, Date.now(), BODY.type, body);
    }
    database.exec('commit');
    await new Promise(resolve => setImmediate(resolve));
  });
  database.close();
  return rate;
}

/** @param write one batch; gets how many events were written before */
async function during(write: (done: number) => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  let done = 0;
  for (; performance.now() - startedAt < WINDOW_MS; done += BATCH) {
    await write(done);
  }
  return done / ((performance.now() - startedAt) / 1000);
}

function newSession() {
  const sessionId = newId('ses');
  const created = {
    at: Date.now(),
    body: {
      type: 'sessionCreated',
      title: 'A session under load',
      repository: { id: 'load', name: 'load', source: '/none' },
      base: '0123456789abcdef0123456789abcdef01234567',
      includesUncommitted: false,
      provider: 'local',
      isolation: 'none',
      agent: 'claude',
      permissionMode: 'ask',
    } satisfies EventBody,
  };
  const state = reduceEvents(undefined, [{ seq: 1, ...created }], sessionId);
  if (!state) {
    throw new Error('A session has no events.');
  }
  return { sessionId, created, summary: summarize(state) };
}
