import type { FollowListener } from '../../../client/followedSession.ts';
import type { ClientParams } from '../../../client/relayClient.ts';
import type { CallName, CallResult } from '../../../protocol/calls.ts';
import type { Disposable } from '../disposables.ts';

/** What the rest of the extension may do with the relay, whichever it is and whether or not it is connected now. */
export interface RelayLink {
  /**
   * Waits for the connection, starting it when nothing has yet. A call that changes something gets an idempotency key and
   * is sent again when the connection broke on the way (I3).
   */
  call<N extends CallName>(name: N, params: ClientParams<N>): Promise<CallResult<N>>;
  /** Follows a session over reconnects, until disposed or until it is another relay. */
  follow(sessionId: string, listener: FollowListener): Disposable;
}
