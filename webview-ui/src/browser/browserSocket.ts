import type { RelaySocket } from '../../../client/link/relaySocket.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { WS_SUBPROTOCOL } from '../../../protocol/version.ts';
import { isTokenValid, reopen } from './access.ts';
import { t } from '../../../protocol/text.ts';

/** A socket to the relay that served this page. A browser does not say why one did not open, so the relay is asked. */
export function browserSocket(token: string): RelaySocket {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const webSocket = new WebSocket(`${scheme}://${location.host}/v1/ws`, [WS_SUBPROTOCOL, `bearer.${token}`]);
  let opened = false;
  const socket: RelaySocket = {
    send: frame => {
      // One that is closing throws; the loss is told by `onClose`.
      if (webSocket.readyState === WebSocket.OPEN) {
        webSocket.send(frame);
      }
    },
    close: () => webSocket.close(),
    onOpen: () => {},
    onMessage: () => {},
    onError: () => {},
    onClose: () => {},
  };
  webSocket.addEventListener('open', () => {
    opened = true;
    socket.onOpen();
  });
  webSocket.addEventListener('message', event => socket.onMessage(String(event.data)));
  webSocket.addEventListener('close', event => {
    void explain(opened, token).then(error => {
      if (error) {
        socket.onError(error);
      }
      socket.onClose(event.code, event.reason);
    });
  });
  return socket;
}

async function explain(opened: boolean, token: string): Promise<SandpiperError | undefined> {
  if (opened) {
    return undefined;
  }
  return (await isTokenValid(token)) === false
    ? new SandpiperError('unauthorized', t('The access of this page has ended.'), { hint: reopen() })
    : new SandpiperError('unavailable', t('The relay cannot be reached.'), {
        hint: t('Sandpiper tries again by itself.'),
      });
}
