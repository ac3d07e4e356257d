import { SandpiperError } from '../../../protocol/errors.ts';
import type { EventBody, SessionEvent } from '../../../protocol/events.ts';
import { reduceEvents } from '../../../protocol/reducer.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { AgentInput, Append, CallRecord, JournalPosition } from '../store/store.ts';
import type { Runtime } from './runtime.ts';

/*
 * How the changes that wait for a commit become one append. Pure: each is decided on the state that the one before it
 * leaves, and what a batch does is all of them or nothing.
 */

/** One atomic change, decided on the state as it is at that moment. */
export interface Draft {
  events: EventBody[];
  runtime?: Partial<Runtime>;
  journal?: JournalPosition;
  /** Lines for the agent's stdin in the current segment. */
  inputs?: string[];
  /** Makes the record of the call from the seq that the log then has. */
  call?: (seq: number) => CallRecord;
}

/** What a change is decided on: the log with every change before it. */
export interface Standing {
  state: SessionState;
  runtime: Runtime;
  /** How far the agent's output is in the log. */
  journal: JournalPosition | undefined;
}

/** Decides one change. It may be asked again, on a later standing, when the first answer could not be stored. */
export type Decide = (state: SessionState, runtime: Runtime, journal: JournalPosition | undefined) => Draft | undefined;

export interface Committed {
  events: SessionEvent[];
  inputs: AgentInput[];
}

/** Changes that are decided and wait for the one commit that makes them durable. */
export interface Batch<Change> {
  /** The log with all of them. */
  standing: Standing;
  append: Omit<Append, 'summary' | 'runtime'> & { events: SessionEvent[]; inputs: AgentInput[] };
  changesRuntime: boolean;
  settled: { change: Change; committed: Committed }[];
}

export function startBatch<Change>(standing: Standing): Batch<Change> {
  const { id, seq } = standing.state;
  return {
    standing,
    append: { sessionId: id, expectedSeq: seq, events: [], inputs: [] },
    changesRuntime: false,
    settled: [],
  };
}

/**
 * Decides one change and adds it. False when it must wait for the next batch, for an append has room for the record of one
 * call. @throws what the decision throws; the batch is then as it was
 */
export function addChange<Change extends { decide: Decide }>(batch: Batch<Change>, change: Change): boolean {
  const { standing, append } = batch;
  const draft = change.decide(standing.state, standing.runtime, standing.journal);
  if (!draft) {
    batch.settled.push({ change, committed: { events: [], inputs: [] } });
    return true;
  }
  if (draft.call && append.call) {
    return false;
  }
  const at = Math.max(Date.now(), standing.state.updatedAt);
  const events = number(draft.events, standing.state.seq, at);
  const state = reduceAll(standing.state, events, standing.state.id);
  const { runtime, inputs } = withInputs(
    { ...standing.runtime, ...draft.runtime },
    draft.inputs ?? [],
    state.agent.segment,
  );
  const call = draft.call?.(state.seq);
  if (call) {
    append.call = call;
  }
  if (draft.journal) {
    append.journal = draft.journal;
  }
  append.events.push(...events);
  append.inputs.push(...inputs);
  batch.changesRuntime ||= draft.runtime !== undefined || inputs.length > 0;
  batch.standing = { state, runtime, journal: draft.journal ?? standing.journal };
  batch.settled.push({ change, committed: { events, inputs } });
  return true;
}

export function number(events: readonly EventBody[], after: number, at: number): SessionEvent[] {
  return events.map((body, index) => ({ seq: after + index + 1, at, body }));
}

export function reduceAll(
  state: SessionState | undefined,
  events: readonly SessionEvent[],
  sessionId: string,
): SessionState {
  const next = reduceEvents(state, events, sessionId);
  if (!next) {
    throw new SandpiperError('internal', `Session ${sessionId} has no events.`);
  }
  return next;
}

function withInputs(
  runtime: Runtime,
  lines: readonly string[],
  segment: number,
): { runtime: Runtime; inputs: AgentInput[] } {
  const inputs = lines.map((line, index) => ({ segment, number: runtime.inputs + index + 1, line }));
  return { runtime: { ...runtime, inputs: runtime.inputs + lines.length }, inputs };
}
