import type { RelayClient } from '../../../client/relayClient.ts';
import { retryText } from '../../../protocol/retryText.ts';

export interface RetryLine {
  /** What stands in the place of the session's activity; undefined while there is a connection. */
  text(): string | undefined;
  dispose(): void;
}

/** Says at a terminal when the relay is tried next, and lets Enter try it now. */
export function retryLine(client: RelayClient): RetryLine {
  const canHear = process.stdin.isTTY === true;
  let listens = false;
  const onInput = (): void => {
    if (client.state.kind === 'waiting') {
      client.connect();
    }
  };
  const listen = (wanted: boolean): void => {
    // A question that stands at the terminal reads lines already, and goes on doing so.
    if (canHear && wanted !== listens) {
      listens = wanted;
      if (wanted) {
        process.stdin.on('data', onInput);
      } else {
        process.stdin.off('data', onInput);
        if (process.stdin.listenerCount('data') === 0 && process.stdin.listenerCount('readable') === 0) {
          process.stdin.pause();
        }
      }
    }
  };
  return {
    text() {
      const { kind } = client.state;
      const isAway = kind === 'waiting' || kind === 'connecting';
      listen(isAway);
      return isAway ? `${retryText(client.retryInMs)}${canHear ? ' Enter tries now.' : ''}` : undefined;
    },
    dispose: () => listen(false),
  };
}
