import type { EventBody, SessionEvent } from '../../../protocol/events.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import type { LeaseClaim, LeaseRow } from './lease.ts';
import type { HookStore } from './hookStore.ts';
import type { SpecStore } from './specStore.ts';
import type { TriggerStore } from './triggerStore.ts';

export type { SpecRow } from './specStore.ts';

/*
 * Where the relay's truth is kept (I1). Every write is part of a group commit: many sessions' appends share one
 * transaction, and an append resolves when that transaction is durable.
 * Failures are SandpiperErrors: `disk_full`, `unavailable` (locked), `internal` (corrupt), `fenced` (another relay owns
 * the store by a higher epoch: the write changed nothing, and no later one will).
 */

/** An answered call, kept so that its key gives the same answer again (I3). */
export interface CallRecord {
  key: string;
  method: string;
  /** SHA-256 of the canonical parameters: the same key with others is refused. */
  paramsHash: string;
  /** JSON */
  result: string;
}

/** Progress through an agent's journal (I5). */
export interface JournalPosition {
  segment: number;
  /** Byte offset in the segment's output up to which everything is in the log. */
  offset: number;
  /** The decoder's state at that offset. JSON */
  decoder: string;
}

/** A line for the agent's stdin, durable before it is written; `number` counts from 1 in its segment. */
export interface AgentInput {
  segment: number;
  number: number;
  line: string;
}

/** One atomic change of one session. */
export interface Append {
  sessionId: string;
  /** The log's last seq before this; anything else fails with `conflict` and changes nothing. */
  expectedSeq: number;
  events: readonly { at: number; body: EventBody }[];
  /** The row of the list, after the events. */
  summary: SessionSummary;
  journal?: JournalPosition;
  inputs?: readonly AgentInput[];
  call?: CallRecord;
  /** Small facts of the session that are not events (sandbox ref, conversation id, gateway token hash). JSON, replaced whole. */
  runtime?: string;
}

export interface SessionRow {
  sessionId: string;
  lastSeq: number;
  summary: SessionSummary;
  runtime: string;
  journal: JournalPosition | undefined;
}

/** A whole session, to be put into a store that does not have it. */
export interface SessionImport {
  sessionId: string;
  /** From seq 1 on, in order. */
  events: AsyncIterable<readonly SessionEvent[]>;
  /** Asked for when all events were read. */
  row: () => Omit<SessionRow, 'sessionId'>;
  call?: CallRecord;
}

export interface Store extends SpecStore {
  /** What came by webhooks. */
  readonly hooks: HookStore;
  /** What webhooks of their own and schedules asked for. */
  readonly triggers: TriggerStore;
  /** Creates the session when `expectedSeq` is 0. Returns the events with their seqs. */
  append(append: Append): Promise<SessionEvent[]>;
  /** Oldest first, at most `limit`. */
  readEvents(sessionId: string, afterSeq: number, limit: number): Promise<SessionEvent[]>;
  readSession(sessionId: string): Promise<SessionRow | undefined>;
  /** Newest activity first; `before` is the `updatedAt` and id of the last row of the previous page. */
  listSessions(options: {
    archived: boolean;
    /** Only those whose row says so. */
    pinned?: boolean;
    limit: number;
    before?: { updatedAt: number; sessionId: string };
  }): Promise<SessionRow[]>;
  /** Every session that is not archived. */
  activeSessions(): Promise<SessionRow[]>;
  /** Inputs of a segment from `number` on. */
  readInputs(sessionId: string, segment: number, fromNumber: number): Promise<AgentInput[]>;
  findCall(key: string): Promise<CallRecord | undefined>;
  /**
   * Takes a session out with its events and inputs, and records the call that asked for it, in one transaction.
   * `conflict` when its log does not end at `expectedSeq`.
   */
  removeSession(removal: { sessionId: string; expectedSeq: number; call?: CallRecord }): Promise<void>;
  /** Puts a session in, whole or not at all. `conflict` when there is one of this id. */
  importSession(session: SessionImport): Promise<void>;
  /** How much text a session's log has, and the payloads outside the log that it may name; one too many does no harm. */
  measureSession(sessionId: string): Promise<{ logBytes: number; blobs: string[] }>;
  /** For calls that change no session. */
  recordCall(call: CallRecord): Promise<void>;
  /** A JSON value of the relay itself. */
  readSetting(name: string): Promise<string | undefined>;
  writeSetting(name: string, value: string): Promise<void>;
  /** By which this store owns its content. */
  readonly epoch: number | undefined;
  /** Who owns the store, or did last; undefined when nobody ever has. */
  readLease(): Promise<LeaseRow | undefined>;
  /** Makes this store the owner, if `decideLease` says so. Returns the epoch. @throws `conflict` while another owns it */
  takeLease(claim: LeaseClaim): Promise<number>;
  /** A sign of life. @throws `fenced` */
  renewLease(options: { locked: boolean }): Promise<void>;
  /** Lets go; nothing can be written afterwards. */
  releaseLease(): Promise<void>;
  /** Proves that reading and writing work. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Payloads that stand outside the log, by the SHA-256 of their content. */
export interface BlobStore {
  /** Every blob with the bytes that it takes on disk and its age; for retention. */
  list(): Promise<{ hash: string; bytes: number; ageMs: number }[]>;
  /** Removes a blob unless it was put within `graceMs`, also one that is there already. @returns whether it is gone */
  remove(hash: string, graceMs: number): Promise<boolean>;
  /** Durable when it resolves. The same content twice is one blob. */
  put(content: Uint8Array): Promise<{ hash: string; bytes: number }>;
  read(hash: string, offset: number, maxBytes: number): Promise<{ content: Buffer; bytes: number } | undefined>;
}
