import type { NotificationParams } from '../../../protocol/calls.ts';
import { isRecord } from '../../../protocol/rpc.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import type { Announcement } from '../host/host.ts';
import type { RelayConnection } from './relayConnection.ts';

/** The list of sessions, newest activity first. */
export class SessionRows {
  readonly #relay: Pick<RelayConnection, 'call'>;
  readonly #tell: (message: Announcement) => void;
  #rows = new Map<string, SessionSummary>();

  constructor(relay: Pick<RelayConnection, 'call'>, tell: (message: Announcement) => void) {
    this.#relay = relay;
    this.#tell = tell;
  }

  async refresh(): Promise<void> {
    const { sessions } = await this.#relay.call('session.list', { limit: 200 });
    this.#rows = new Map(sessions.map(session => [session.id, session]));
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
