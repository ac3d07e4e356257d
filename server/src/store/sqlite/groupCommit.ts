import { SandpiperError } from '../../../../protocol/errors.ts';
import type { Append, CallRecord } from '../store.ts';

/*
 * What one transaction does with many sessions' appends. Pure: the caller reads what is stored, and writes the plan.
 * Texts are made when an append is queued, so that a caller may reuse its objects, and a group's size is known.
 */

/** An append with its parts as the texts that are stored. */
export interface PreparedAppend {
  sessionId: string;
  expectedSeq: number;
  events: { at: number; type: string; body: string }[];
  updatedAt: number;
  archived: boolean;
  summary: string;
  runtime: string | undefined;
  journal: Append['journal'];
  inputs: NonNullable<Append['inputs']>;
  call: CallRecord | undefined;
  /** About how much this adds to a transaction. */
  characters: number;
}

export function prepareAppend(append: Append): PreparedAppend {
  const events = append.events.map(({ at, body }) => ({ at, type: body.type, body: JSON.stringify(body) }));
  const summary = JSON.stringify(append.summary);
  const inputs = append.inputs?.map(input => ({ ...input })) ?? [];
  const lengths = [
    ...events.map(event => event.body.length),
    ...inputs.map(input => input.line.length),
    summary.length,
    append.runtime?.length ?? 0,
    append.journal?.decoder.length ?? 0,
    append.call?.result.length ?? 0,
  ];
  return {
    sessionId: append.sessionId,
    expectedSeq: append.expectedSeq,
    events,
    updatedAt: append.summary.updatedAt,
    archived: append.summary.archived,
    summary,
    runtime: append.runtime,
    journal: append.journal && { ...append.journal },
    inputs,
    call: append.call && { ...append.call },
    characters: lengths.reduce((sum, length) => sum + length, 0),
  };
}

/** What the store holds that matters to a group. A session that does not exist is absent. */
export interface StoredFacts {
  lastSeqs: ReadonlyMap<string, number>;
  recordedKeys: ReadonlySet<string>;
  /** The epoch of the relay that owns the store; undefined while none does. */
  ownerEpoch: number | undefined;
}

export type Verdict = { kind: 'accepted' } | { kind: 'refused'; error: SandpiperError };

/**
 * Decides each append of a group in order; an append sees the accepted ones before it, and a refused one harms no other.
 * @param epoch by which the writer owns the store
 */
export function decideGroup(
  group: readonly PreparedAppend[],
  stored: StoredFacts,
  epoch: number | undefined,
): Verdict[] {
  if (stored.ownerEpoch !== epoch) {
    return group.map(() => ({ kind: 'refused', error: fencedError(epoch, stored.ownerEpoch) }));
  }
  const lastSeqs = new Map(stored.lastSeqs);
  const keys = new Set(stored.recordedKeys);
  return group.map(append => {
    const lastSeq = lastSeqs.get(append.sessionId) ?? 0;
    if (append.expectedSeq !== lastSeq) {
      return refused(`Session ${append.sessionId} has moved on to event ${lastSeq}.`, {
        sessionId: append.sessionId,
        expectedSeq: append.expectedSeq,
        lastSeq,
      });
    }
    if (append.call && keys.has(append.call.key)) {
      return refused('A call with this key has been answered before.', { key: append.call.key });
    }
    lastSeqs.set(append.sessionId, lastSeq + append.events.length);
    if (append.call) {
      keys.add(append.call.key);
    }
    return { kind: 'accepted' };
  });
}

export function fencedError(epoch: number | undefined, ownerEpoch: number | undefined): SandpiperError {
  const message =
    epoch === undefined
      ? 'A relay owns this data folder, so nothing else may write to it.'
      : 'Another relay has taken over this data folder, so this one may not write any more.';
  return new SandpiperError('fenced', message, {
    hint: 'Use the relay that owns it: every client finds it by itself.',
    details: { epoch, ownerEpoch },
  });
}

function refused(message: string, details: Record<string, unknown>): Verdict {
  return { kind: 'refused', error: new SandpiperError('conflict', message, { details }) };
}

/** Rows for `json_each`, one array a table; the order of the columns is that of the statements in writeGroup.ts. */
export interface GroupRows {
  /** id, last_seq, updated_at, archived, summary, runtime, journal_segment, journal_offset, journal_decoder */
  sessions: unknown[][];
  /** session_id, seq, at, type, body */
  events: unknown[][];
  /** session_id, segment, number, line */
  inputs: unknown[][];
  /** key, method, params_hash, result, at */
  calls: unknown[][];
}

/** The rows that accepted appends become: one of a session's row, however often the group changes it. */
export function groupRows(accepted: readonly PreparedAppend[], now: number): GroupRows {
  const latest = new Map<string, PreparedAppend & { lastSeq: number }>();
  const rows: GroupRows = { sessions: [], events: [], inputs: [], calls: [] };
  for (const append of accepted) {
    const { sessionId, expectedSeq, events } = append;
    const before = latest.get(sessionId);
    latest.set(sessionId, {
      ...append,
      runtime: append.runtime ?? before?.runtime,
      journal: append.journal ?? before?.journal,
      lastSeq: expectedSeq + events.length,
    });
    events.forEach(({ at, type, body }, index) => {
      rows.events.push([sessionId, expectedSeq + index + 1, at, type, body]);
    });
    for (const input of append.inputs) {
      rows.inputs.push([sessionId, input.segment, input.number, input.line]);
    }
    if (append.call) {
      const { key, method, paramsHash, result } = append.call;
      rows.calls.push([key, method, paramsHash, result, now]);
    }
  }
  for (const { sessionId, lastSeq, updatedAt, archived, summary, runtime, journal } of latest.values()) {
    rows.sessions.push([
      sessionId,
      lastSeq,
      updatedAt,
      archived ? 1 : 0,
      summary,
      runtime ?? null,
      journal?.segment ?? null,
      journal?.offset ?? null,
      journal?.decoder ?? null,
    ]);
  }
  return rows;
}

/** How many of the queued appends go into the next transaction: bounded, so that no caller waits for a huge one. */
export function groupSize(queue: readonly PreparedAppend[], limits: { appends: number; characters: number }): number {
  let characters = 0;
  let count = 0;
  for (const append of queue) {
    characters += append.characters;
    if (count > 0 && (count >= limits.appends || characters > limits.characters)) {
      break;
    }
    count++;
  }
  return count;
}
