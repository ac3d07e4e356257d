import { computed, signal } from '@preact/signals';
import { toSandpiperError, SandpiperError } from '../../../protocol/errors.ts';
import { newId } from '../../../protocol/ids.ts';
import type { MessageWay } from '../../../protocol/composing.ts';
import type { ApprovalDecision } from '../../../protocol/events.ts';
import type { Image } from '../../../protocol/images.ts';
import type { OutboxEntry } from '../../../protocol/outbox.ts';
import type { Host, Unsent } from '../host/host.ts';

/** A message on its way to the relay. Once the shown log has it, it is an item of the session. */
export interface Outgoing {
  key: string;
  sessionId: string;
  text: string;
  images?: Image[];
  /** `sending`: it may have left, so it cannot be taken back. */
  state: 'waiting' | 'sending' | 'refused';
  /** Of a message that the relay has: the event that it is. */
  seq?: number;
  error?: SandpiperError;
}

/** An answer on its way to the relay; once the log has it, its approval is no longer open. */
export interface OutgoingAnswer {
  key: string;
  sessionId: string;
  approvalId: string;
  decision: ApprovalDecision;
  /** `sending`: it may have left, so it cannot be taken back. `refused`: it was not used, `error` says why. */
  state: 'waiting' | 'sending' | 'refused';
  error?: SandpiperError;
}

/**
 * Messages that were sent and are not in the log yet, so that nothing typed ever disappears. Until the host has one in
 * its outbox the page keeps it, over reloads too; then the host does.
 */
export class Outbox {
  readonly #host: Pick<Host, 'request'>;
  readonly #keep: (unsent: readonly Unsent[]) => void;
  readonly #unsent = signal<readonly (Unsent & { error?: SandpiperError })[]>([]);
  readonly #hosted = signal<readonly OutboxEntry[]>([]);

  readonly messages = computed<readonly Outgoing[]>(() => {
    const hosted = this.#hosted.value.flatMap(toOutgoing);
    const known = new Set(hosted.map(message => message.key));
    const own = this.#unsent.value
      .filter(({ key }) => !known.has(key))
      .map(message => ({ ...message, state: message.error ? ('refused' as const) : ('sending' as const) }));
    return [...hosted, ...own];
  });

  readonly answers = computed<readonly OutgoingAnswer[]>(() => this.#hosted.value.flatMap(toAnswer));

  /** @param keep stores what the host does not have yet, at once */
  constructor(host: Pick<Host, 'request'>, keep: (unsent: readonly Unsent[]) => void = () => undefined) {
    this.#host = host;
    this.#keep = keep;
  }

  /** What the host has. */
  receive(entries: readonly OutboxEntry[]): void {
    this.#hosted.value = entries;
  }

  /** Hands over again what an earlier page could not. The host knows the keys, so nothing comes twice. */
  async resume(unsent: readonly Unsent[]): Promise<void> {
    this.#change([...unsent, ...this.#unsent.peek()]);
    for (const message of unsent) {
      await this.#handOver(message);
    }
  }

  /** Sends; a failure stays in the list until the user takes it back or tries again. */
  async send(
    sessionId: string,
    text: string,
    { way = 'queue', images = [] }: { way?: MessageWay; images?: Image[] } = {},
  ): Promise<void> {
    const message = toUnsent({
      key: newId('key'),
      sessionId,
      text,
      ...(way === 'queue' ? {} : { way }),
      ...(images.length === 0 ? {} : { images }),
    });
    this.#change([...this.#unsent.peek(), message]);
    await this.#handOver(message);
  }

  async sendAgain({ key }: Outgoing): Promise<void> {
    const unsent = this.#unsent.peek().find(message => message.key === key);
    await (unsent ? this.#handOver(unsent) : this.#host.request('sendAgain', { key }));
  }

  /** The answer to this approval that the relay has or may still take. */
  answerTo(sessionId: string, approvalId: string): OutgoingAnswer | undefined {
    return this.answers.value.find(
      answer => answer.sessionId === sessionId && answer.approvalId === approvalId && answer.state !== 'refused',
    );
  }

  /** Answers an approval. @throws when the host cannot keep the answer */
  async answer(sessionId: string, approvalId: string, decision: ApprovalDecision): Promise<void> {
    await this.#host.request('answer', { sessionId, approvalId, decision, key: newId('key') });
  }

  /** Takes back what has not left, or discards what was refused. @throws conflict when the relay may have it already */
  async takeBack({ key }: Pick<Outgoing, 'key'>): Promise<void> {
    if (this.#hosted.peek().some(entry => entry.key === key)) {
      await this.#host.request('withdraw', { key });
    }
    this.#forget(key);
  }

  async #handOver(unsent: Unsent): Promise<void> {
    const { key } = unsent;
    try {
      await this.#host.request('send', toUnsent(unsent));
      this.#forget(key);
    } catch (thrown) {
      const error = toSandpiperError(thrown);
      this.#change(this.#unsent.peek().map(message => (message.key === key ? { ...message, error } : message)));
    }
  }

  #forget(key: string): void {
    this.#change(this.#unsent.peek().filter(message => message.key !== key));
  }

  #change(unsent: readonly (Unsent & { error?: SandpiperError })[]): void {
    this.#unsent.value = unsent;
    this.#keep(unsent.map(toUnsent));
  }
}

function toUnsent({ key, sessionId, text, way, images }: Unsent): Unsent {
  return { key, sessionId, text, ...(way === undefined ? {} : { way }), ...(images ? { images } : {}) };
}

function toOutgoing({ key, sessionId, content, status }: OutboxEntry): Outgoing[] {
  return content.kind === 'message'
    ? [
        {
          key,
          sessionId,
          text: content.text,
          ...(content.images ? { images: content.images } : {}),
          ...progressOf(status),
          ...(status.kind === 'accepted' ? { seq: status.seq } : {}),
        },
      ]
    : [];
}

function toAnswer({ key, sessionId, content, status }: OutboxEntry): OutgoingAnswer[] {
  return content.kind === 'answer'
    ? [{ key, sessionId, approvalId: content.approvalId, decision: content.decision, ...progressOf(status) }]
    : [];
}

function progressOf(status: OutboxEntry['status']): Pick<Outgoing, 'state' | 'error'> {
  switch (status.kind) {
    case 'waiting':
    case 'sending':
      return { state: status.kind };
    case 'accepted':
      return { state: 'sending' };
    case 'refused': {
      const { code, message, hint } = status.problem;
      return { state: 'refused', error: new SandpiperError(code, message, { hint }) };
    }
  }
}
