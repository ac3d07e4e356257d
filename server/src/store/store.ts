import type { EventBody, SessionEvent } from '../../../protocol/events.ts';
import type { SessionSummary } from '../../../protocol/session.ts';

/*
 * Where the relay's truth is kept (I1). Every write is part of a group commit: many sessions' appends share one
 * transaction, and an append resolves when that transaction is durable.
 * Failures are SandpiperErrors: `disk_full`, `unavailable` (locked), `internal` (corrupt).
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

export interface Store {
  /** Creates the session when `expectedSeq` is 0. Returns the events with their seqs. */
  append(append: Append): Promise<SessionEvent[]>;
  /** Oldest first, at most `limit`. */
  readEvents(sessionId: string, afterSeq: number, limit: number): Promise<SessionEvent[]>;
  readSession(sessionId: string): Promise<SessionRow | undefined>;
  /** Newest activity first; `before` is the `updatedAt` and id of the last row of the previous page. */
  listSessions(options: {
    archived: boolean;
    limit: number;
    before?: { updatedAt: number; sessionId: string };
  }): Promise<SessionRow[]>;
  /** Every session that is not archived. */
  activeSessions(): Promise<SessionRow[]>;
  /** Inputs of a segment from `number` on. */
  readInputs(sessionId: string, segment: number, fromNumber: number): Promise<AgentInput[]>;
  findCall(key: string): Promise<CallRecord | undefined>;
  /** For calls that change no session. */
  recordCall(call: CallRecord): Promise<void>;
  /** A JSON value of the relay itself. */
  readSetting(name: string): Promise<string | undefined>;
  writeSetting(name: string, value: string): Promise<void>;
  /** Proves that reading and writing work. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Payloads that stand outside the log, by the SHA-256 of their content. */
export interface BlobStore {
  /** Durable when it resolves. The same content twice is one blob. */
  put(content: Uint8Array): Promise<{ hash: string; bytes: number }>;
  read(hash: string, offset: number, maxBytes: number): Promise<{ content: Buffer; bytes: number } | undefined>;
}
