import { toSandpiperError } from './errors.ts';
import { alreadyGone, dueEntries, inOrder, isOpen, statusAfterFailure, typedAtAfter } from './outbox.ts';
import type { OutboxContent, OutboxEntry, OutboxStatus } from './outbox.ts';

/**
 * Where entries outlive the program. Each method is durable when it resolves. Several windows may share one: `move` and
 * `remove` say which of them was first.
 */
export interface OutboxStorage {
  load(): Promise<OutboxEntry[]>;
  add(entry: OutboxEntry): Promise<void>;
  /** Gives the entry another status. False when it is no longer there with the one it had. */
  move(entry: OutboxEntry, status: OutboxStatus): Promise<boolean>;
  /** False when it is no longer there with the status it had. */
  remove(entry: OutboxEntry): Promise<boolean>;
}

export interface OutboxSenderOptions {
  storage: OutboxStorage;
  /** Makes the call of an entry, once, on the connection there is. @throws {SandpiperError} */
  send(entry: OutboxEntry): Promise<{ seq: number }>;
  /** After every change. */
  onChange(): void;
  now?: () => number;
  /** How long to wait before an entry that the relay could not take is tried again. */
  retryMs?: number;
}

const RETRY_MS = 3_000;
/** So long the person still sees what the relay has and the shown log may not have yet. */
const KEEP_ACCEPTED_MS = 60_000;

/**
 * Sends what was typed: each entry once in the sense of I3, those of one session one after the other, over lost
 * connections and restarts of this program. Before an entry leaves, storage knows that it may have left.
 */
export class OutboxSender {
  readonly #options: OutboxSenderOptions;
  readonly #now: () => number;
  #entries: readonly OutboxEntry[] = [];
  #relay: string | undefined;
  /** Counts connections: after a failure on an old one there is nothing to wait for. */
  #connection = 0;
  /** Sessions of which an entry is on its way; also over a new connection, until the attempt on the old one has failed. */
  readonly #busy = new Set<string>();
  /** Keys that are in the storage: what is still being written must not leave. */
  readonly #stored = new Set<string>();
  readonly #acceptedAt = new Map<string, number>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #watchers = new Map<string, Set<() => void>>();
  #loaded: Promise<void> | undefined;
  #disposed = false;

  constructor(options: OutboxSenderOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** All that is not done with, in the order in which it was typed. */
  get entries(): readonly OutboxEntry[] {
    return this.#entries;
  }

  /** Reads what was left over from before. Others call it when they need it. */
  load(): Promise<void> {
    this.#loaded ??= this.#refresh();
    return this.#loaded;
  }

  /** There is a connection to this relay now; undefined when it was lost. */
  connected(relay: string | undefined): void {
    this.#connection++;
    this.#relay = relay;
    for (const timer of this.#timers.values()) {
      clearTimeout(timer);
    }
    this.#timers.clear();
    if (relay === undefined) {
      this.#wake();
    } else {
      // Another window may have typed something meanwhile and been closed.
      this.#loaded = this.#refresh();
      void this.#loaded.then(() => this.#drain());
    }
  }

  /**
   * Takes an entry; it is durable when this resolves. The same key again changes nothing.
   * @throws what the storage throws: then nothing was taken
   */
  async put(entry: { key: string; relay: string; sessionId: string; content: OutboxContent }): Promise<void> {
    await this.load();
    if (this.#find(entry.key)) {
      return;
    }
    const typed: OutboxEntry = {
      ...entry,
      typedAt: typedAtAfter(this.#entries, this.#now()),
      status: { kind: 'waiting' },
    };
    // In the list first, so that the next one that is typed comes after it.
    this.#set([...this.#entries, typed]);
    try {
      await this.#options.storage.add(typed);
    } catch (thrown) {
      this.#drop(entry.key);
      throw thrown;
    }
    this.#stored.add(entry.key);
    this.#drain();
  }

  /**
   * Resolves when an attempt to send the entry has come to an end, whatever it was, or when there is no connection to try.
   * @returns its status; undefined when it is gone
   */
  async attempted(key: string): Promise<OutboxStatus | undefined> {
    const entry = this.#find(key);
    if (entry && isOpen(entry) && this.#relay === entry.relay) {
      await new Promise<void>(resolve => {
        const watchers = this.#watchers.get(key) ?? new Set();
        this.#watchers.set(key, watchers.add(resolve));
      });
    }
    return this.#find(key)?.status;
  }

  /** Takes back what has not left, or discards what was refused. @throws conflict when the relay may have it */
  async withdraw(key: string): Promise<OutboxContent> {
    await this.load();
    const entry = this.#find(key);
    if (!entry || (entry.status.kind !== 'waiting' && entry.status.kind !== 'refused')) {
      throw alreadyGone();
    }
    if (!(await this.#options.storage.remove(entry))) {
      await this.#refresh();
      throw alreadyGone();
    }
    this.#drop(key);
    this.#drain();
    return entry.content;
  }

  /** Sends a refused entry once more. Nothing happens when it is not refused. */
  async tryAgain(key: string): Promise<void> {
    await this.load();
    const entry = this.#find(key);
    if (entry?.status.kind === 'refused') {
      await this.#move(entry, { kind: 'waiting' });
      this.#drain();
    }
  }

  dispose(): void {
    this.#disposed = true;
    this.connected(undefined);
  }

  #find(key: string): OutboxEntry | undefined {
    return this.#entries.find(entry => entry.key === key);
  }

  #set(entries: Iterable<OutboxEntry>): void {
    const now = this.#now();
    this.#entries = inOrder(entries).filter(
      ({ key, status }) =>
        status.kind !== 'accepted' || now - (this.#acceptedAt.get(key) ?? Number.NEGATIVE_INFINITY) < KEEP_ACCEPTED_MS,
    );
    for (const key of this.#acceptedAt.keys()) {
      if (!this.#find(key)) {
        this.#acceptedAt.delete(key);
      }
    }
    this.#options.onChange();
  }

  #drop(key: string): void {
    this.#stored.delete(key);
    this.#set(this.#entries.filter(entry => entry.key !== key));
    this.#wake(key);
  }

  /** What the storage holds is the truth, but for what it has just lost to the relay and what is on its way into it. */
  async #refresh(): Promise<void> {
    const stored = await this.#options.storage.load();
    const keys = new Set(stored.map(entry => entry.key));
    const own = this.#entries.filter(
      entry => !keys.has(entry.key) && (entry.status.kind === 'accepted' || !this.#stored.has(entry.key)),
    );
    for (const key of keys) {
      this.#stored.add(key);
    }
    // What the relay took while the storage was read is not open again.
    const done = new Set(this.#acceptedAt.keys());
    const accepted = this.#entries.filter(entry => done.has(entry.key) && keys.has(entry.key));
    this.#set([...stored.filter(entry => !done.has(entry.key)), ...accepted, ...own]);
  }

  async #move(entry: OutboxEntry, status: OutboxStatus): Promise<boolean> {
    const moved = await this.#options.storage.move(entry, status);
    if (moved) {
      this.#replace(entry.key, status);
    } else {
      await this.#refresh();
    }
    return moved;
  }

  #replace(key: string, status: OutboxStatus): void {
    this.#set(this.#entries.map(entry => (entry.key === key ? { ...entry, status } : entry)));
  }

  #drain(): void {
    if (this.#relay === undefined || this.#disposed) {
      return;
    }
    for (const entry of dueEntries(this.#entries, this.#relay)) {
      const { sessionId, key } = entry;
      if (!this.#busy.has(sessionId) && !this.#timers.has(sessionId) && this.#stored.has(key)) {
        this.#busy.add(sessionId);
        void this.#attempt(entry, this.#connection);
      }
    }
  }

  async #attempt(entry: OutboxEntry, connection: number): Promise<void> {
    const { key, sessionId } = entry;
    let later = false;
    try {
      later = await this.#sendOnce(entry);
    } catch {
      // The storage failed, so nothing left; it is tried again.
      later = true;
    }
    this.#busy.delete(sessionId);
    this.#wake(key);
    if (later && connection === this.#connection && !this.#disposed) {
      const timer = setTimeout(() => {
        this.#timers.delete(sessionId);
        this.#drain();
      }, this.#options.retryMs ?? RETRY_MS);
      this.#timers.set(sessionId, timer);
    }
    this.#drain();
  }

  /** @returns whether to wait before the next attempt */
  async #sendOnce(entry: OutboxEntry): Promise<boolean> {
    const leaving: OutboxEntry = { ...entry, status: { kind: 'sending' } };
    if (entry.status.kind === 'waiting' && !(await this.#move(entry, leaving.status))) {
      return false;
    }
    if (this.#relay !== entry.relay) {
      return false;
    }
    let seq: number;
    try {
      ({ seq } = await this.#options.send(leaving));
    } catch (thrown) {
      const status = statusAfterFailure(toSandpiperError(thrown));
      if (status.kind !== 'sending') {
        await this.#move(leaving, status);
      }
      return status.kind !== 'refused';
    }
    this.#acceptedAt.set(entry.key, this.#now());
    this.#replace(entry.key, { kind: 'accepted', seq });
    this.#stored.delete(entry.key);
    // When this fails it is sent again after a restart, and the relay knows the key.
    await this.#options.storage.remove(leaving).catch(() => false);
    return false;
  }

  /** Tells who waits for an attempt that there was one, or that none can be made now. */
  #wake(key?: string): void {
    for (const [watched, watchers] of key === undefined
      ? [...this.#watchers]
      : [[key, this.#watchers.get(key)] as const]) {
      this.#watchers.delete(watched);
      watchers?.forEach(resolve => resolve());
    }
  }
}
