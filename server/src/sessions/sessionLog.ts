import type { NotificationParams } from '../../../protocol/calls.ts';
import { summarize } from '../../../protocol/activity.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { EventBody, LiveItem, SessionEvent } from '../../../protocol/events.ts';
import { withDelta, withoutFinished, type LiveDelta } from '../../../protocol/live.ts';
import { reduceEvents } from '../../../protocol/reducer.ts';
import type { SessionState, SessionSummary } from '../../../protocol/session.ts';
import { disposable, type Disposable } from '../core/disposable.ts';
import type { AgentInput, CallRecord, JournalPosition, Store } from '../store/store.ts';
import { runtimeSchema, type Runtime } from './runtime.ts';

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

export interface Listener {
  onEvents(events: readonly SessionEvent[]): void;
  onDelta(delta: NotificationParams<'session.delta'>): void;
}

const PAGE = 1000;

/**
 * The only writer of a session's log. Changes are decided one after the other on the latest state, become durable, and
 * only then are they in `state` and shown to listeners.
 */
export class SessionLog {
  readonly #store: Store;
  readonly #onSummary: (summary: SessionSummary) => void;
  readonly #listeners = new Set<Listener>();
  #live: readonly LiveItem[] = [];
  #state: SessionState;
  #runtime: Runtime;
  #journal: JournalPosition | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  private constructor(
    store: Store,
    state: SessionState,
    runtime: Runtime,
    journal: JournalPosition | undefined,
    onSummary: (summary: SessionSummary) => void,
  ) {
    this.#store = store;
    this.#state = state;
    this.#runtime = runtime;
    this.#journal = journal;
    this.#onSummary = onSummary;
  }

  /** Writes the first events of a new session. */
  static async create(
    store: Store,
    options: {
      sessionId: string;
      events: readonly EventBody[];
      runtime: Runtime;
      call: (seq: number) => CallRecord;
      onSummary: (summary: SessionSummary) => void;
    },
  ): Promise<SessionLog> {
    const at = Date.now();
    const state = reduceAll(undefined, number(options.events, 0, at), options.sessionId);
    const summary = summarize(state);
    await store.append({
      sessionId: options.sessionId,
      expectedSeq: 0,
      events: options.events.map(body => ({ at, body })),
      summary,
      runtime: JSON.stringify(options.runtime),
      call: options.call(state.seq),
    });
    options.onSummary(summary);
    return new SessionLog(store, state, options.runtime, undefined, options.onSummary);
  }

  /** Rebuilds a session from its log (I1). @throws not_found */
  static async load(
    store: Store,
    sessionId: string,
    onSummary: (summary: SessionSummary) => void,
  ): Promise<SessionLog> {
    const row = await store.readSession(sessionId);
    if (!row) {
      throw new SandpiperError('not_found', `There is no session ${sessionId}.`, {
        hint: 'List the sessions to find its id.',
      });
    }
    let state: SessionState | undefined;
    for (;;) {
      const events = await store.readEvents(sessionId, state?.seq ?? 0, PAGE);
      state = events.length === 0 ? state : reduceAll(state, events, sessionId);
      if (events.length < PAGE) {
        break;
      }
    }
    if (!state || state.seq !== row.lastSeq) {
      throw new SandpiperError(
        'internal',
        `The log of session ${sessionId} ends at ${state?.seq ?? 0} instead of ${row.lastSeq}.`,
        {
          hint: 'The database is damaged. Restore a backup.',
        },
      );
    }
    return new SessionLog(store, state, runtimeSchema.parse(JSON.parse(row.runtime)), row.journal, onSummary);
  }

  get state(): SessionState {
    return this.#state;
  }

  get runtime(): Runtime {
    return this.#runtime;
  }

  /** How far the agent's output is in the log. */
  get journal(): JournalPosition | undefined {
    return this.#journal;
  }

  /**
   * Decides on the latest state and commits. An undefined draft changes nothing.
   * @returns the new events, and the inputs that must now be written into the journal
   */
  update(
    decide: (state: SessionState, runtime: Runtime) => Draft | undefined,
  ): Promise<{ events: SessionEvent[]; inputs: AgentInput[] }> {
    if (this.#closed) {
      return Promise.reject(
        new SandpiperError('unavailable', 'The session was let go of.', { hint: 'Try again in a moment.' }),
      );
    }
    this.#waiting++;
    const result = this.#tail.then(() => this.#commit(decide(this.#state, this.#runtime)));
    this.#tail = result.catch(() => {}).then(() => this.#waiting--);
    return result;
  }

  /** Whether nobody follows it and nothing is being written. */
  get unused(): boolean {
    return this.#listeners.size === 0 && this.#waiting === 0;
  }

  /** Refuses every later change: another object may now write this log. */
  close(): void {
    this.#closed = true;
  }

  /** Resolves when everything that was asked for so far is committed or refused. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  publishDelta(delta: LiveDelta): void {
    const live = withDelta(this.#live, delta);
    if (live) {
      this.#live = live;
      for (const listener of this.#listeners) {
        listener.onDelta({ sessionId: this.#state.id, ...delta });
      }
    }
  }

  liveItems(): LiveItem[] {
    return [...this.#live];
  }

  follow(listener: Listener): Disposable {
    this.#listeners.add(listener);
    return disposable(() => this.#listeners.delete(listener));
  }

  async #commit(draft: Draft | undefined): Promise<{ events: SessionEvent[]; inputs: AgentInput[] }> {
    if (!draft) {
      return { events: [], inputs: [] };
    }
    const at = Math.max(Date.now(), this.#state.updatedAt);
    const state = reduceAll(this.#state, number(draft.events, this.#state.seq, at), this.#state.id);
    const { runtime, inputs } = withInputs(
      { ...this.#runtime, ...draft.runtime },
      draft.inputs ?? [],
      state.agent.segment,
    );
    const summary = summarize(state);
    const events = await this.#store.append({
      sessionId: state.id,
      expectedSeq: this.#state.seq,
      events: draft.events.map(body => ({ at, body })),
      summary,
      ...(draft.journal ? { journal: draft.journal } : {}),
      ...(inputs.length > 0 ? { inputs } : {}),
      ...(draft.runtime || inputs.length > 0 ? { runtime: JSON.stringify(runtime) } : {}),
      ...(draft.call ? { call: draft.call(state.seq) } : {}),
    });
    this.#state = state;
    this.#runtime = runtime;
    this.#journal = draft.journal ?? this.#journal;
    this.#publish(events, summary);
    return { events, inputs };
  }

  #publish(events: readonly SessionEvent[], summary: SessionSummary): void {
    if (events.length === 0) {
      return;
    }
    for (const event of events) {
      this.#live = withoutFinished(this.#live, event.body);
    }
    for (const listener of this.#listeners) {
      listener.onEvents(events);
    }
    this.#onSummary(summary);
  }
}

function number(events: readonly EventBody[], after: number, at: number): SessionEvent[] {
  return events.map((body, index) => ({ seq: after + index + 1, at, body }));
}

function reduceAll(state: SessionState | undefined, events: readonly SessionEvent[], sessionId: string): SessionState {
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
