import type { CallResult } from '../../../protocol/calls.ts';
import type { ApprovalDecision } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { Outbox } from '../relay/outbox.ts';
import type { RelayLink } from '../relay/relayLink.ts';

/** What can be done with a session, whether a command, the chat or a notification asks. Every method throws SandpiperError. */
export class SessionActions {
  readonly #relay: RelayLink;

  readonly #outbox: Pick<Outbox, 'answerNow'>;

  constructor(relay: RelayLink, outbox: Pick<Outbox, 'answerNow'>) {
    this.#relay = relay;
    this.#outbox = outbox;
  }

  state(sessionId: string): Promise<SessionState> {
    return this.#relay.call('session.get', { sessionId });
  }

  stop(sessionId: string): Promise<CallResult<'session.stop'>> {
    return this.#relay.call('session.stop', { sessionId });
  }

  /** Kept while the relay is away, and then sent once. */
  answer(sessionId: string, approvalId: string, decision: ApprovalDecision): Promise<void> {
    return this.#outbox.answerNow(sessionId, approvalId, decision);
  }

  async retry(sessionId: string): Promise<void> {
    await this.#relay.call('session.retry', { sessionId });
  }

  async rename(sessionId: string, title: string): Promise<void> {
    await this.#relay.call('session.rename', { sessionId, title });
  }

  async archive(sessionId: string, archived: boolean): Promise<void> {
    await this.#relay.call('session.archive', { sessionId, archived });
  }

  delete(sessionId: string, force: boolean): Promise<CallResult<'session.delete'>> {
    return this.#relay.call('session.delete', { sessionId, force });
  }

  listDeleted(): Promise<CallResult<'session.listDeleted'>> {
    return this.#relay.call('session.listDeleted', {});
  }

  async restore(sessionId: string): Promise<void> {
    await this.#relay.call('session.restore', { sessionId });
  }

  readBlob(sessionId: string, hash: string, offset: number): Promise<CallResult<'blob.read'>> {
    return this.#relay.call('blob.read', { sessionId, hash, offset });
  }

  readEvents(sessionId: string, after: number): Promise<CallResult<'session.events'>> {
    return this.#relay.call('session.events', { sessionId, after });
  }
}
