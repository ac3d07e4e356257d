import { SandpiperError } from '../../protocol/errors.ts';
import type { ConnectionState as Shown } from '../../protocol/webviewApi.ts';
import type { ConnectionState } from './connectionState.ts';
import { t } from '../../protocol/text.ts';

/**
 * What a person is shown of the client's state. An attempt after a loss or a failure stays "offline", because nothing has
 * got better yet; its `error` is then that of before.
 * @param wasConnected whether there was a connection to this relay already
 */
export function showConnection(
  state: ConnectionState,
  wasConnected: boolean,
): { state: Shown; error: SandpiperError | 'asBefore' | undefined } {
  switch (state.kind) {
    case 'connected':
      return { state: 'connected', error: undefined };
    case 'connecting':
      return state.attempt === 1 && !wasConnected
        ? { state: 'connecting', error: undefined }
        : { state: 'offline', error: 'asBefore' };
    case 'waiting':
      return { state: 'offline', error: state.error };
    case 'refused':
      return { state: 'refused', error: state.error };
    case 'disconnected':
      return { state: 'offline', error: new SandpiperError('disconnected', t('Not connected to a relay.')) };
  }
}
