import { sql, type Kysely, type Selectable } from 'kysely';
import type { SessionEvent } from '../../../../protocol/events.ts';
import { SandpiperError, toError } from '../../../../protocol/errors.ts';
import type { Logger } from '../../core/log.ts';
import { importSession, removeSession } from './wholeSession.ts';
import { mayWrite, type LeaseClaim, type LeaseRow } from '../lease.ts';
import type { HookStore } from '../hookStore.ts';
import type { TriggerStore } from '../triggerStore.ts';
import type { AgentInput, Append, CallRecord, SessionImport, SessionRow, Store } from '../store.ts';
import { AppendQueue } from './appendQueue.ts';
import { fencedError, prepareAppend } from './groupCommit.ts';
import * as hookTables from './hookTables.ts';
import { readLease, releaseLease, renewLease, takeLease } from './leaseTable.ts';
import { listRevisions, listSpecs, readSpec, removeSpec, writeSpec } from './specTables.ts';
import type { SqliteDatabase } from './openDatabase.ts';
import { isFaultOfOneChange, toStoreError } from './sqliteErrors.ts';
import { parseEventBody, parseSummary } from './storedJson.ts';
import type { Tables } from './tables.ts';
import * as triggerTables from './triggerTables.ts';
import { writeGroup } from './writeGroup.ts';

/** How long an answered call is kept for those who repeat it. */
const CALL_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;
const PRUNE_INTERVAL_MS = 60 * 60 * 1000;

/** The store over one SQLite file: writes by group commit on one connection, reads on another. */
export class SqliteStore implements Store {
  readonly #database: SqliteDatabase;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #queue: AppendQueue;
  readonly #onFenced: () => void;
  /** By which this store owns the file. */
  #epoch: number | undefined;
  #isFenced = false;
  #prunedAt = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | undefined;

  constructor(
    database: SqliteDatabase,
    options: { log: Logger; now: () => number; epoch?: number | undefined; onFenced?: () => void },
  ) {
    this.#database = database;
    this.#log = options.log;
    this.#now = options.now;
    this.#epoch = options.epoch;
    this.#onFenced = options.onFenced ?? (() => {});
    this.#queue = new AppendQueue(async group => {
      const verdicts = await writeGroup(database.writer, group, { now: this.#now(), epoch: this.#epoch });
      if (verdicts.some(verdict => verdict.kind === 'refused' && verdict.error.code === 'fenced')) {
        this.#noteFenced();
      } else {
        database.checkpoints?.wrote(
          group.length,
          group.reduce((sum, { characters }) => sum + characters, 0),
        );
        await this.#pruneCalls();
      }
      return verdicts;
    }, isFaultOfOneChange);
  }

  get epoch(): number | undefined {
    return this.#epoch;
  }

  async append(append: Append): Promise<SessionEvent[]> {
    const prepared = prepareAppend(append);
    const events = append.events.map(({ at, body }, index) => ({ seq: append.expectedSeq + index + 1, at, body }));
    await this.#run(() => this.#queue.push(prepared));
    return events;
  }

  readEvents(sessionId: string, afterSeq: number, limit: number): Promise<SessionEvent[]> {
    return this.#run(async () => {
      const rows = await this.#database.reader
        .selectFrom('events')
        .select(['seq', 'at', 'body'])
        .where('session_id', '=', sessionId)
        .where('seq', '>', afterSeq)
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map(({ seq, at, body }) => ({ seq, at, body: parseEventBody(body) }));
    });
  }

  readSession(sessionId: string): Promise<SessionRow | undefined> {
    return this.#run(async () => {
      const row = await this.#database.reader
        .selectFrom('sessions')
        .selectAll()
        .where('id', '=', sessionId)
        .executeTakeFirst();
      return row && toSessionRow(row);
    });
  }

  listSessions({ archived, pinned, limit, before }: Parameters<Store['listSessions']>[0]): Promise<SessionRow[]> {
    return this.#run(async () => {
      let query = this.#database.reader
        .selectFrom('sessions')
        .selectAll()
        .where('archived', '=', archived ? 1 : 0);
      if (pinned === true) {
        query = query.where(sql<boolean>`json_extract(summary, '$.pinned')`, '=', sql<boolean>`1`);
      }
      if (before) {
        query = query.where(eb =>
          eb(eb.refTuple('updated_at', 'id'), '<', eb.tuple(before.updatedAt, before.sessionId)),
        );
      }
      const rows = await query.orderBy('updated_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
      return rows.map(toSessionRow);
    });
  }

  activeSessions(): Promise<SessionRow[]> {
    return this.listSessions({ archived: false, limit: -1 });
  }

  readInputs(sessionId: string, segment: number, fromNumber: number): Promise<AgentInput[]> {
    return this.#run(() =>
      this.#database.reader
        .selectFrom('inputs')
        .select(['segment', 'number', 'line'])
        .where('session_id', '=', sessionId)
        .where('segment', '=', segment)
        .where('number', '>=', fromNumber)
        .orderBy('number')
        .execute(),
    );
  }

  findCall(key: string): Promise<CallRecord | undefined> {
    return this.#run(() =>
      this.#database.reader
        .selectFrom('calls')
        .select(['key', 'method', 'params_hash as paramsHash', 'result'])
        .where('key', '=', key)
        .executeTakeFirst(),
    );
  }

  async removeSession(removal: Parameters<Store['removeSession']>[0]): Promise<void> {
    await this.#change(writer => removeSession(writer, removal, this.#now()));
  }

  async importSession(session: SessionImport): Promise<void> {
    await this.#change(writer => importSession(writer, session, this.#now()));
  }

  measureSession(sessionId: string): Promise<{ logBytes: number; blobs: string[] }> {
    return this.#run(async () => {
      const { reader } = this.#database;
      const size = await sql<{ bytes: number | null }>`
        select sum(length(body)) as bytes from events where session_id = ${sessionId}
      `.execute(reader);
      // A blob's hash stands in its event; other texts that look like one only keep what nobody needs.
      const hashes = await sql<{ body: string }>`
        select body from events where session_id = ${sessionId} and instr(body, '"blob":') > 0
      `.execute(reader);
      const blobs = new Set(hashes.rows.flatMap(({ body }) => body.match(/\b[0-9a-f]{64}\b/g) ?? []));
      return { logBytes: size.rows[0]?.bytes ?? 0, blobs: [...blobs] };
    });
  }

  recordCall({ key, method, paramsHash, result }: CallRecord): Promise<void> {
    return this.#change(async writer => {
      const { numInsertedOrUpdatedRows } = await writer
        .insertInto('calls')
        .values({ key, method, params_hash: paramsHash, result, at: this.#now() })
        .onConflict(conflict => conflict.doNothing())
        .executeTakeFirstOrThrow();
      if (numInsertedOrUpdatedRows === 0n) {
        throw new SandpiperError('conflict', 'A call with this key has been answered before.', { details: { key } });
      }
    });
  }

  readSetting(name: string): Promise<string | undefined> {
    return this.#run(async () => {
      const row = await this.#database.reader
        .selectFrom('settings')
        .select('value')
        .where('name', '=', name)
        .executeTakeFirst();
      return row?.value;
    });
  }

  writeSetting(name: string, value: string): Promise<void> {
    return this.#change(async writer => {
      await writer
        .insertInto('settings')
        .values({ name, value })
        .onConflict(conflict => conflict.column('name').doUpdateSet({ value }))
        .execute();
    });
  }

  listSpecs(options: Parameters<Store['listSpecs']>[0]): ReturnType<Store['listSpecs']> {
    return this.#run(() => listSpecs(this.#database.reader, options));
  }

  readSpec(specId: string, revision?: number): ReturnType<Store['readSpec']> {
    return this.#run(() => readSpec(this.#database.reader, specId, revision));
  }

  listRevisions(specId: string): ReturnType<Store['listRevisions']> {
    return this.#run(() => listRevisions(this.#database.reader, specId));
  }

  async writeSpec(change: Parameters<Store['writeSpec']>[0]): Promise<void> {
    await this.#change(writer => writeSpec(writer, change, this.#now()));
  }

  async removeSpec(change: Parameters<Store['removeSpec']>[0]): Promise<void> {
    await this.#change(writer => removeSpec(writer, change, this.#now()));
  }

  readonly hooks: HookStore = {
    addDelivery: delivery => this.#changed(writer => hookTables.addDelivery(writer, delivery)),
    waitingDeliveries: limit => this.#run(() => hookTables.waitingDeliveries(this.#database.reader, limit)),
    listDeliveries: options => this.#run(() => hookTables.listDeliveries(this.#database.reader, options)),
    readDelivery: id => this.#run(() => hookTables.readDelivery(this.#database.reader, id)),
    settleDelivery: change => this.#changed(writer => hookTables.settleDelivery(writer, change)),
    pruneDeliveries: before => this.#changed(writer => hookTables.pruneDeliveries(writer, before)),
    addRequest: request => this.#changed(writer => hookTables.addRequest(writer, request)),
    openRequests: () => this.#run(() => hookTables.openRequests(this.#database.reader)),
    listRequests: options => this.#run(() => hookTables.listRequests(this.#database.reader, options)),
    readRequest: key => this.#run(() => hookTables.readRequest(this.#database.reader, key)),
    writeRequest: row => this.#changed(writer => hookTables.writeRequest(writer, row)),
  };

  readonly triggers: TriggerStore = {
    addFiring: (firing, cap) => this.#changed(writer => triggerTables.addFiring(writer, firing, cap)),
    waitingFirings: limit => this.#run(() => triggerTables.waitingFirings(this.#database.reader, limit)),
    listFirings: options => this.#run(() => triggerTables.listFirings(this.#database.reader, options)),
    readFiring: key => this.#run(() => triggerTables.readFiring(this.#database.reader, key)),
    lastFiring: (trigger, upTo) => this.#run(() => triggerTables.lastFiring(this.#database.reader, trigger, upTo)),
    settleFiring: change => this.#changed(writer => triggerTables.settleFiring(writer, change)),
    pruneFirings: before => this.#changed(writer => triggerTables.pruneFirings(writer, before)),
  };

  readLease(): Promise<LeaseRow | undefined> {
    return this.#run(() => readLease(this.#database.reader));
  }

  takeLease(claim: LeaseClaim): Promise<number> {
    return this.#run(async () => {
      const epoch = await takeLease(this.#database.writer, claim);
      this.#epoch = epoch;
      return epoch;
    });
  }

  renewLease({ locked }: { locked: boolean }): Promise<void> {
    return this.#run(async () => {
      const epoch = this.#epoch;
      if (epoch === undefined || !(await renewLease(this.#database.writer, epoch, locked))) {
        this.#noteFenced();
        throw fencedError(epoch, (await readLease(this.#database.reader))?.epoch);
      }
    });
  }

  async releaseLease(): Promise<void> {
    await this.#queue.idle();
    await this.#run(async () => {
      if (this.#epoch !== undefined) {
        await releaseLease(this.#database.writer, this.#epoch);
      }
    });
  }

  async check(): Promise<void> {
    const written = JSON.stringify(this.#now());
    await this.writeSetting('store.check', written);
    if ((await this.readSetting('store.check')) === undefined) {
      throw new SandpiperError('internal', `The store does not read what it wrote to ${this.#database.file}.`, {
        hint: 'Restart the relay; if this stays, check the disk.',
      });
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#queue.idle().then(() => this.#database.close());
    return this.#closing;
  }

  async #run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#closing) {
      throw new SandpiperError('unavailable', 'The store is closed.', {
        hint: 'The relay is stopping; start it again.',
      });
    }
    try {
      return await work();
    } catch (error) {
      throw toStoreError(error, this.#database.file);
    }
  }

  /** A write that is no append: checked in one transaction with it, as an append is. */
  async #change(work: (writer: Kysely<Tables>) => Promise<void>): Promise<void> {
    await this.#changed(work);
    await this.#pruneCalls();
  }

  #changed<Result>(work: (writer: Kysely<Tables>) => Promise<Result>): Promise<Result> {
    return this.#run(() =>
      this.#database.writer.transaction().execute(async transaction => {
        const row = await readLease(transaction);
        if (!mayWrite(row, this.#epoch)) {
          this.#noteFenced();
          throw fencedError(this.#epoch, row?.epoch);
        }
        return work(transaction);
      }),
    );
  }

  #noteFenced(): void {
    if (!this.#isFenced) {
      this.#isFenced = true;
      this.#onFenced();
    }
  }

  /** Never fails the write that it follows. */
  async #pruneCalls(): Promise<void> {
    const now = this.#now();
    if (now - this.#prunedAt < PRUNE_INTERVAL_MS) {
      return;
    }
    this.#prunedAt = now;
    try {
      await sql`delete from calls where at < ${now - CALL_LIFETIME_MS}`.execute(this.#database.writer);
    } catch (error) {
      this.#log.log('warn', 'store', 'Old calls could not be removed', { cause: toError(error).message });
    }
  }
}

function toSessionRow(row: Selectable<Tables['sessions']>): SessionRow {
  const { journal_segment: segment, journal_offset: offset, journal_decoder: decoder } = row;
  return {
    sessionId: row.id,
    lastSeq: row.last_seq,
    summary: parseSummary(row.summary),
    runtime: row.runtime ?? '{}',
    journal: segment === null || offset === null || decoder === null ? undefined : { segment, offset, decoder },
  };
}
