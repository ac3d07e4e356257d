import { signal } from '@preact/signals';
import { toSandpiperError, type SandpiperError } from '../../../protocol/errors.ts';
import type { Item } from '../../../protocol/session.ts';
import type { Host } from '../host/host.ts';

/** A message on its way to the relay. Once the relay has it, it is an item of the session. */
export interface Outgoing {
  localId: number;
  sessionId: string;
  text: string;
  messageId?: string;
  error?: SandpiperError;
}

/** Messages that were sent and are not in the log yet, so that nothing typed ever disappears. */
export class Outbox {
  readonly messages = signal<readonly Outgoing[]>([]);
  readonly #host: Pick<Host, 'request'>;
  #nextId = 1;

  constructor(host: Pick<Host, 'request'>) {
    this.#host = host;
  }

  /** Sends; a failure stays in the list until the user takes it back or tries again. */
  async send(sessionId: string, text: string): Promise<void> {
    const localId = this.#nextId++;
    this.messages.value = [...this.messages.peek(), { localId, sessionId, text }];
    try {
      const { messageId } = await this.#host.request('send', { sessionId, text });
      this.#update(localId, { messageId });
    } catch (thrown) {
      this.#update(localId, { error: toSandpiperError(thrown) });
    }
  }

  remove(localId: number): void {
    this.messages.value = this.messages.peek().filter(message => message.localId !== localId);
  }

  /** Drops what the session's log has taken over. */
  prune(items: readonly Item[]): void {
    const waiting = this.messages.peek();
    if (!waiting.some(message => message.messageId !== undefined)) {
      return;
    }
    const logged = new Set(items.filter(item => item.kind === 'message').map(item => item.id));
    const left = waiting.filter(message => message.messageId === undefined || !logged.has(message.messageId));
    if (left.length !== waiting.length) {
      this.messages.value = left;
    }
  }

  #update(localId: number, patch: Partial<Outgoing>): void {
    this.messages.value = this.messages
      .peek()
      .map(message => (message.localId === localId ? { ...message, ...patch } : message));
  }
}
