import type { ConnectionState as ClientState } from '../../../client/connectionState.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { ConnectionState } from '../../../protocol/webviewApi.ts';

/** What a person is shown of the client's state. A second attempt stays "offline", because nothing has got better yet. */
export function showConnection(state: ClientState): { state: ConnectionState; error: SandpiperError | undefined } {
  switch (state.kind) {
    case 'connected':
      return { state: 'connected', error: undefined };
    case 'connecting':
      return state.attempt === 1
        ? { state: 'connecting', error: undefined }
        : { state: 'offline', error: new SandpiperError('unavailable', 'Reconnecting to the relay.') };
    case 'waiting':
      return { state: 'offline', error: state.error };
    case 'refused':
      return { state: 'refused', error: state.error };
    case 'disconnected':
      return { state: 'offline', error: new SandpiperError('disconnected', 'Not connected to a relay.') };
  }
}
