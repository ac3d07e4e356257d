import type { NotificationParams } from '../../../protocol/calls.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { EventBody, LiveItem, SessionEvent } from '../../../protocol/events.ts';
import { withDelta, withoutFinished, type LiveDelta } from '../../../protocol/live.ts';
import type { SessionState, SessionSummary } from '../../../protocol/session.ts';
import { summarize } from '../../../protocol/summarize.ts';
import { disposable, type Disposable } from '../core/disposable.ts';
import type { Redactor } from '../redaction/redactor.ts';
import type { CallRecord, JournalPosition, Store } from '../store/store.ts';
import {
  addChange,
  number,
  reduceAll,
  startBatch,
  type Batch,
  type Committed,
  type Decide,
  type Standing,
} from './changeBatch.ts';
import { runtimeSchema, type Runtime } from './runtime.ts';

export interface Listener {
  onEvents(events: readonly SessionEvent[]): void;
  onDelta(delta: NotificationParams<'session.delta'>): void;
}

const PAGE = 1000;

interface Waiting {
  decide: Decide;
  resolve: (committed: Committed) => void;
  reject: (error: unknown) => void;
}

/**
 * The only writer of a session's log. Changes are decided one after the other, each on the state that the one before it
 * leaves. Those that come while a commit is under way share the next; they are in `state` and shown to listeners only when
 * they are durable.
 */
export class SessionLog {
  readonly #store: Store;
  readonly #onSummary: (summary: SessionSummary) => void;
  readonly #listeners = new Set<Listener>();
  #live: readonly LiveItem[] = [];
  #standing: Standing;
  #waiting: Waiting[] = [];
  #committing: Promise<void> | undefined;
  #delay: NodeJS.Timeout | undefined;
  #closed = false;
  #ended = false;

  readonly #redactor: Redactor | undefined;

  private constructor(
    store: Store,
    standing: Standing,
    onSummary: (summary: SessionSummary) => void,
    redactor: Redactor | undefined,
  ) {
    this.#store = store;
    this.#redactor = redactor;
    this.#standing = standing;
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
      redactor?: Redactor;
    },
  ): Promise<SessionLog> {
    const at = Date.now();
    const draft = { events: [...options.events] };
    const { events } = options.redactor?.draft(draft) ?? draft;
    const state = reduceAll(undefined, number(events, 0, at), options.sessionId);
    const summary = summarize(state);
    await store.append({
      sessionId: options.sessionId,
      expectedSeq: 0,
      events: events.map(body => ({ at, body })),
      summary,
      runtime: JSON.stringify(options.runtime),
      call: options.call(state.seq),
    });
    options.onSummary(summary);
    const standing = { state, runtime: options.runtime, journal: undefined };
    return new SessionLog(store, standing, options.onSummary, options.redactor);
  }

  /** Rebuilds a session from its log (I1). @throws not_found */
  static async load(
    store: Store,
    sessionId: string,
    onSummary: (summary: SessionSummary) => void,
    redactor?: Redactor,
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
          hint: 'The database is damaged. Run `sandpiper doctor --deep` to see what can be mended, or restore a backup.',
        },
      );
    }
    const runtime = runtimeSchema.parse(JSON.parse(row.runtime));
    return new SessionLog(store, { state, runtime, journal: row.journal }, onSummary, redactor);
  }

  get state(): SessionState {
    return this.#standing.state;
  }

  get runtime(): Runtime {
    return this.#standing.runtime;
  }

  /** How far the agent's output is in the log. */
  get journal(): JournalPosition | undefined {
    return this.#standing.journal;
  }

  /**
   * Decides on the latest state and commits. An undefined draft changes nothing.
   * @param delayMs how long it may wait for another change, to be stored with it in one commit
   * @returns the new events, and the inputs that must now be written into the journal
   */
  update(wanted: Decide, delayMs = 0): Promise<Committed> {
    const redactor = this.#redactor;
    const decide: Decide = (...standing) => {
      const draft = wanted(...standing);
      return draft && redactor ? redactor.draft(draft) : draft;
    };
    if (this.#closed) {
      return Promise.reject(
        new SandpiperError('unavailable', 'The session was let go of.', { hint: 'Try again in a moment.' }),
      );
    }
    if (this.#ended) {
      return Promise.reject(wasDeleted(this.state.id));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ decide, resolve, reject });
      if (delayMs === 0) {
        this.#commitSoon();
      } else {
        this.#delay ??= setTimeout(() => this.#commitSoon(), delayMs);
      }
    });
  }

  /**
   * Does the last thing that is done to this log: nothing is committed while it runs, and nothing after it. When it fails
   * the log goes on.
   */
  async end(finish: (final: Standing) => Promise<void>): Promise<void> {
    this.#commitSoon();
    while (this.#committing) {
      await this.#committing;
    }
    const ending = finish(this.#standing).then(() => {
      this.#ended = true;
    });
    this.#committing = ending.catch(() => {}).then(() => this.#commitWaiting());
    await ending;
  }

  /** Whether nobody follows it and nothing is being written. */
  get unused(): boolean {
    return this.#listeners.size === 0 && this.#committing === undefined && this.#waiting.length === 0;
  }

  /** Refuses every later change: another object may now write this log. */
  close(): void {
    this.#closed = true;
  }

  /** Resolves when everything that was asked for so far is committed or refused. */
  async settled(): Promise<void> {
    this.#commitSoon();
    while (this.#committing) {
      await this.#committing;
    }
  }

  /** Text as it is to be stored beside the log. */
  clean(text: string): string {
    return this.#redactor ? this.#redactor.text(text) : text;
  }

  publishDelta(given: LiveDelta): void {
    const piece = this.#redactor ? this.#redactor.deltas.take(given.itemId, given) : given;
    if (piece === undefined) {
      return;
    }
    const delta = { ...given, ...piece };
    const live = withDelta(this.#live, delta);
    if (live) {
      this.#live = live;
      for (const listener of this.#listeners) {
        listener.onDelta({ sessionId: this.state.id, ...delta });
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

  #commitSoon(): void {
    clearTimeout(this.#delay);
    this.#delay = undefined;
    this.#committing ??= this.#commitWaiting();
  }

  async #commitWaiting(): Promise<void> {
    // What the same tick asks for belongs to the first commit.
    await Promise.resolve();
    if (this.#ended) {
      this.#waiting.splice(0).forEach(({ reject }) => reject(wasDeleted(this.state.id)));
    }
    while (this.#waiting.length > 0) {
      const batch = this.#decideWaiting();
      try {
        await this.#commit(batch);
      } catch (error) {
        if (batch.settled.length > 1 && toSandpiperError(error).code === 'conflict') {
          // One of them was refused, for its call was answered before: the others must not fail with it.
          await this.#commitEach(batch.settled.map(({ change }) => change));
        } else {
          batch.settled.forEach(({ change }) => change.reject(error));
        }
      }
    }
    this.#committing = undefined;
  }

  async #commitEach(changes: readonly Waiting[]): Promise<void> {
    for (const change of changes) {
      const batch = startBatch<Waiting>(this.#standing);
      decideInto(batch, change);
      await this.#commit(batch).catch((error: unknown) => change.reject(error));
    }
  }

  /** Takes what waits, up to a second call: an append has room for the record of one. */
  #decideWaiting(): Batch<Waiting> {
    const batch = startBatch<Waiting>(this.#standing);
    for (;;) {
      const [next] = this.#waiting;
      if (!next || !decideInto(batch, next)) {
        return batch;
      }
      this.#waiting.shift();
    }
  }

  async #commit({ standing, append, changesRuntime, settled }: Batch<Waiting>): Promise<void> {
    if (standing !== this.#standing) {
      const summary = summarize(standing.state);
      await this.#store.append({
        ...append,
        summary,
        ...(changesRuntime ? { runtime: JSON.stringify(standing.runtime) } : {}),
      });
      this.#standing = standing;
      this.#publish(
        settled.flatMap(({ committed }) => committed.events),
        summary,
      );
    }
    settled.forEach(({ change, committed }) => change.resolve(committed));
  }

  #publish(events: readonly SessionEvent[], summary: SessionSummary): void {
    if (events.length === 0) {
      return;
    }
    for (const event of events) {
      this.#live = withoutFinished(this.#live, event.body);
      if (this.#live.length === 0) {
        this.#redactor?.deltas.clear();
      }
    }
    for (const listener of this.#listeners) {
      listener.onEvents(events);
    }
    this.#onSummary(summary);
  }
}

function wasDeleted(sessionId: string): SandpiperError {
  return new SandpiperError('not_found', `Session ${sessionId} was deleted.`, {
    hint: 'It can be restored: see `sandpiper sessions --deleted`.',
  });
}

/** As in changeBatch.ts; what throws is refused to whoever asked, and harms no other. */
function decideInto(batch: Batch<Waiting>, change: Waiting): boolean {
  try {
    return addChange(batch, change);
  } catch (error) {
    change.reject(error);
    return true;
  }
}
