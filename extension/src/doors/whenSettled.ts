import type * as vscode from 'vscode';
import type { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { isSettled } from '../../../protocol/sessionView.ts';
import type { RelayLink } from '../relay/relayLink.ts';

/** What ended the waiting: the session needs nothing more for now, or whoever waited does not any more. */
export type Waited = { kind: 'settled'; state: SessionState } | { kind: 'cancelled' };

/**
 * Follows a session until its turn is over or it needs a person. Cancelling ends the waiting and not the session.
 * @param onState called with every state on the way
 * @throws what the relay refuses, such as `not_found`
 */
export function whenSettled(
  relay: RelayLink,
  sessionId: string,
  token: vscode.CancellationToken,
  onState: (state: SessionState) => void = () => {},
): Promise<Waited> {
  return new Promise((resolve, reject: (error: SandpiperError) => void) => {
    const end = (action: () => void): void => {
      cancelling.dispose();
      // It may be called before `follow` has answered.
      queueMicrotask(() => following.dispose());
      action();
    };
    const cancelling = token.onCancellationRequested(() => end(() => resolve({ kind: 'cancelled' })));
    const following = relay.follow(sessionId, ({ state }, change) => {
      if (change.kind === 'failed') {
        if (!change.error.retryable) {
          end(() => reject(change.error));
        }
      } else if (state) {
        onState(state);
        if (isSettled(state)) {
          end(() => resolve({ kind: 'settled', state }));
        }
      }
    });
  });
}
