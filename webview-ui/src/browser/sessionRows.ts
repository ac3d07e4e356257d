import type { NotificationParams } from '../../../protocol/calls.ts';
import { isRecord } from '../../../protocol/isRecord.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import type { Announcement } from '../host/host.ts';
import type { RelayConnection } from './relayConnection.ts';

/** The newest sessions, every pinned one, and the newest of what is archived; newest activity first. */
export class SessionRows {
  readonly #relay: Pick<RelayConnection, 'call'>;
  readonly #tell: (message: Announcement) => void;
  #rows = new Map<string, SessionSummary>();

  constructor(relay: Pick<RelayConnection, 'call'>, tell: (message: Announcement) => void) {
    this.#relay = relay;
    this.#tell = tell;
  }

  /** Takes the list anew. Changes that arrive while it is on its way are newer and stay. */
  async refresh(): Promise<void> {
    const lists = await Promise.all([
      this.#relay.call('session.list', { limit: 200 }),
      this.#relay.call('session.list', { pinned: true, limit: 200 }),
      this.#relay.call('session.list', { archived: true, limit: 50 }),
    ]);
    const before = this.#rows;
    this.#rows = new Map();
    for (const listed of lists.flatMap(({ sessions }) => sessions)) {
      const known = before.get(listed.id);
      this.#rows.set(listed.id, known && known.seq > listed.seq ? known : listed);
    }
    this.#publish();
  }

  onNotification(method: string, params: unknown): void {
    if (method === 'session.changed' && isChanged(params)) {
      this.#rows.set(params.summary.id, params.summary);
      this.#publish();
    } else if (method === 'session.removed' && isRecord(params) && this.#rows.delete(String(params['sessionId']))) {
      this.#publish();
    }
  }

  #publish(): void {
    const summaries = [...this.#rows.values()].sort((one, other) => other.updatedAt - one.updatedAt);
    this.#tell({ type: 'sessions', summaries });
  }
}

function isChanged(value: unknown): value is NotificationParams<'session.changed'> {
  return isRecord(value) && isRecord(value['summary']) && typeof value['summary']['id'] === 'string';
}
