import type { CallResult } from '../../../protocol/calls.ts';
import type { SettingsChange } from '../../../protocol/composing.ts';
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

  unqueue(sessionId: string, messageId: string): Promise<CallResult<'message.withdraw'>> {
    return this.#relay.call('message.withdraw', { sessionId, messageId });
  }

  async hurry(sessionId: string, messageId: string, way: 'steer' | 'interrupt'): Promise<void> {
    await this.#relay.call('message.hurry', { sessionId, messageId, way });
  }

  findPaths(sessionId: string, query: string): Promise<CallResult<'changes.findPaths'>> {
    return this.#relay.call('changes.findPaths', { sessionId, query });
  }

  configure(sessionId: string, change: SettingsChange): Promise<CallResult<'session.configure'>> {
    return this.#relay.call('session.configure', { sessionId, ...change });
  }

  /** Begins to restore files and conversation; its name. */
  goBack(sessionId: string, turn: number): Promise<CallResult<'checkpoint.restore'>> {
    return this.#relay.call('checkpoint.restore', { sessionId, turn, code: true, conversation: true });
  }

  search(query: string): Promise<CallResult<'session.search'>> {
    return this.#relay.call('session.search', { query });
  }

  async retry(sessionId: string): Promise<void> {
    await this.#relay.call('session.retry', { sessionId });
  }

  async rename(sessionId: string, title: string): Promise<void> {
    await this.#relay.call('session.rename', { sessionId, title });
  }

  async pin(sessionId: string, pinned: boolean): Promise<void> {
    await this.#relay.call('session.pin', { sessionId, pinned });
  }

  async tag(sessionId: string, add: string[], remove: string[]): Promise<void> {
    await this.#relay.call('session.tag', { sessionId, add, remove });
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

  network(sessionId: string): Promise<CallResult<'session.network'>> {
    return this.#relay.call('session.network', { sessionId });
  }

  async allowNetwork(
    sessionId: string,
    change: { allow: string; scope: 'session' | 'repository'; allowed: boolean },
  ): Promise<void> {
    await this.#relay.call('session.allowNetwork', { sessionId, ...change });
  }

  readBlob(sessionId: string, hash: string, offset: number): Promise<CallResult<'blob.read'>> {
    return this.#relay.call('blob.read', { sessionId, hash, offset });
  }

  readEvents(sessionId: string, after: number): Promise<CallResult<'session.events'>> {
    return this.#relay.call('session.events', { sessionId, after });
  }
}
