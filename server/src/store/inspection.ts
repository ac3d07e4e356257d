import type { SessionEvent } from '../../../protocol/events.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import type { JournalPosition } from './store.ts';

/** The row of a session as it is stored, whatever it holds. */
export interface RawRow {
  lastSeq: number;
  /** As JSON was stored; undefined when it is none. */
  summary: unknown;
  updatedAt: number;
  archived: boolean;
  runtime: unknown;
  journal: JournalPosition | undefined;
}

/**
 * A store seen from below, to find what is wrong with it. Everything is read at one point in time. Failures of a read are
 * SandpiperErrors as those of the store.
 */
export interface StoreInspection {
  /** What the database's own check says; empty when it is sound. Never fails. */
  integrity(): Promise<string[]>;
  /** Every session that anything is stored of, whether or not it has a row. */
  sessionIds(): Promise<string[]>;
  readRow(sessionId: string): Promise<RawRow | undefined>;
  readEvents(sessionId: string, afterSeq: number, limit: number): Promise<SessionEvent[]>;
  /** How many events are stored, and the last seq. */
  extent(sessionId: string): Promise<{ events: number; lastSeq: number }>;
  /** Segments with the numbers of their inputs. */
  inputs(sessionId: string): Promise<{ segment: number; first: number; last: number; count: number }[]>;
  close(): Promise<void>;
}

/** Rebuilds what the log says. Only while no relay runs. */
export interface StoreRepair {
  rewriteRow(sessionId: string, summary: SessionSummary): Promise<void>;
  close(): Promise<void>;
}
