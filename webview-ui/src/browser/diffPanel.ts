import { signal } from '@preact/signals';
import type { RelayConnection } from './relayConnection.ts';

export interface DiffView {
  sessionId: string;
  scope: 'pending' | 'all';
  diff: string;
  truncated: boolean;
  /** The file to show first. */
  path?: string;
}

/** The changes of a session as text, since a browser has no diff editor. */
export class DiffPanel {
  readonly view = signal<DiffView | undefined>(undefined);
  readonly #relay: Pick<RelayConnection, 'call'>;

  constructor(relay: Pick<RelayConnection, 'call'>) {
    this.#relay = relay;
  }

  /** @throws {SandpiperError} when the relay has no diff */
  async show(sessionId: string, scope: DiffView['scope'], path?: string): Promise<void> {
    const from = scope === 'pending' ? 'accepted' : 'base';
    const { diff, truncated } = await this.#relay.call('changes.diff', { sessionId, from, to: 'proposed' });
    this.view.value = { sessionId, scope, diff, truncated, ...(path === undefined ? {} : { path }) };
  }

  close(): void {
    this.view.value = undefined;
  }
}
