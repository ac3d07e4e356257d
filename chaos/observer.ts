import { createRelayClient, type RelayClient } from '../client/relayClient.ts';
import { findRelay } from '../client/localRelay.ts';
import { createWsSocket } from '../client/wsSocket.ts';
import { SandpiperError } from '../protocol/errors.ts';
import type { EventType, SessionEvent } from '../protocol/events.ts';

/** A type that does not come within so many events is not waited for any longer. */
const PATIENCE_EVENTS = 25;

/** What is known of a session from its events. */
export interface Watched {
  id: string;
  seq: number;
  sandboxId: string | undefined;
  segment: number;
  agentRuns: boolean;
}

interface Wish {
  total: number;
  type: EventType | undefined;
  grant(): void;
}

/** A second window on every session, without a proxy in between: it counts events and tells when a point is reached. */
export class Observer {
  readonly client: RelayClient;
  readonly #watched = new Map<string, Watched>();
  #total = 0;
  #lastEventAt = Date.now();
  #wish: Wish | undefined;

  constructor(dataFolder: string) {
    this.client = createRelayClient({
      client: { name: 'chaos observer', version: '0' },
      backoff: { firstMs: 20, maxMs: 200 },
      connect: async () => {
        const address = await findRelay(dataFolder);
        if (!address) {
          throw new SandpiperError('unavailable', 'The relay does not run.');
        }
        return createWsSocket(address.url, address.token);
      },
      onState: state => {
        // What came about while there was no connection is announced to nobody.
        if (state.kind === 'connected') {
          void this.#watchAll();
        }
      },
    });
    this.client.onNotification('session.changed', ({ summary }) => this.#watch(summary.id));
    this.client.connect();
  }

  /** In the order of their making. */
  get sessions(): readonly Watched[] {
    return [...this.#watched.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** Events seen in all sessions. */
  get total(): number {
    return this.#total;
  }

  /** For how long nothing has happened, in milliseconds. */
  get quietMs(): number {
    return Date.now() - this.#lastEventAt;
  }

  /**
   * Resolves at a point: when there are so many events in total, and then at the next of a type.
   * @param idleMs resolves with `idle` when nothing happens for so long
   */
  async reach(total: number, type: EventType | undefined, idleMs: number): Promise<'reached' | 'idle'> {
    if (this.#total >= total && type === undefined) {
      return 'reached';
    }
    const since = Date.now();
    return new Promise(resolve => {
      const settle = (how: 'reached' | 'idle'): void => {
        clearInterval(timer);
        this.#wish = undefined;
        resolve(how);
      };
      const timer = setInterval(() => {
        if (Math.min(this.quietMs, Date.now() - since) >= idleMs) {
          settle('idle');
        }
      }, 100);
      this.#wish = { total, type, grant: () => settle('reached') };
    });
  }

  dispose(): void {
    this.client.dispose();
  }

  async #watchAll(): Promise<void> {
    const { sessions } = await this.client
      .call('session.list', { limit: 200 }, { resend: false })
      .catch(() => ({ sessions: [] }));
    sessions.forEach(({ id }) => this.#watch(id));
  }

  #watch(id: string): void {
    if (this.#watched.has(id)) {
      return;
    }
    const watched: Watched = { id, seq: 0, sandboxId: undefined, segment: 0, agentRuns: false };
    this.#watched.set(id, watched);
    this.client.follow(id, (mirror, change) => {
      const before = watched.seq;
      watched.seq = mirror.seq;
      this.#total += Math.max(0, mirror.seq - before);
      watched.segment = mirror.state?.agent.segment ?? 0;
      watched.agentRuns = mirror.state?.agent.running ?? false;
      if (change.kind === 'events') {
        this.#lastEventAt = Date.now();
        change.events.forEach(event => this.#note(watched, event));
      }
    });
  }

  #note(watched: Watched, { body }: SessionEvent): void {
    if (body.type === 'sandboxReady') {
      watched.sandboxId = body.sandboxId;
    }
    const wish = this.#wish;
    const isLate = wish !== undefined && this.#total >= wish.total + PATIENCE_EVENTS;
    if (wish && this.#total >= wish.total && (wish.type === undefined || wish.type === body.type || isLate)) {
      wish.grant();
    }
  }
}
