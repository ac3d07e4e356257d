import { WebSocket } from 'ws';
import { SandpiperError, toError } from '../protocol/errors.ts';
import { WS_SUBPROTOCOL } from '../protocol/version.ts';
import type { RelaySocket } from './link/relaySocket.ts';
import { t } from '../protocol/text.ts';

/** Larger than any answer of the relay. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * A socket to a relay in Node.
 * @param url of the relay, `http://host:port` or `https://…`
 */
export function createWsSocket(url: string, token: string): RelaySocket {
  const webSocket = new WebSocket(`${url.replace(/^http/, 'ws').replace(/\/+$/, '')}/v1/ws`, WS_SUBPROTOCOL, {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    followRedirects: false,
  });
  let received = (): number => 0;
  const socket: RelaySocket = {
    send: frame => webSocket.send(frame, () => {}),
    close: () => {
      webSocket.close(1000);
      setTimeout(() => webSocket.terminate(), 1_000).unref();
    },
    onOpen: () => {},
    onMessage: () => {},
    onError: () => {},
    onClose: () => {},
    bytesReceived: () => received(),
  };
  webSocket.on('open', () => socket.onOpen());
  webSocket.on('message', data => {
    socket.onMessage(Buffer.isBuffer(data) ? data.toString('utf8') : '');
  });
  webSocket.on('upgrade', ({ socket: line }) => (received = () => line.bytesRead));
  webSocket.on('unexpected-response', (request, response) => {
    socket.onError(refusal(response.statusCode ?? 0, url));
    response.resume();
    request.destroy();
    // `ws` leaves closing to whoever listens here.
    webSocket.terminate();
  });
  webSocket.on('error', error => socket.onError(networkError(error, url)));
  webSocket.on('close', (code, reason) => {
    socket.onClose(code, reason.toString('utf8'));
  });
  return socket;
}

function refusal(status: number, url: string): SandpiperError {
  switch (status) {
    case 401:
      return new SandpiperError('unauthorized', t('The relay at {0} refused the token.', url), {
        hint: t('Take the token from relay.json in the data folder of that relay.'),
      });
    case 403:
      return new SandpiperError('forbidden', t('The relay at {0} refused this client.', url));
    case 421:
      return new SandpiperError('forbidden', t('The relay at {0} is not known under that name.', url), {
        hint: t('Use its loopback address, or name this host in the settings of the relay.'),
      });
    case 400:
    case 426:
      return new SandpiperError('version_mismatch', t('The relay at {0} does not speak {1}.', url, WS_SUBPROTOCOL), {
        hint: t('Update the older of the two.'),
      });
    default:
      return new SandpiperError(
        'unavailable',
        t('What answers at {0} does not accept connections (HTTP {1}).', url, status),
      );
  }
}

function networkError(thrown: unknown, url: string): SandpiperError {
  const cause = toError(thrown);
  return new SandpiperError('unavailable', t('The relay at {0} cannot be reached: {1}.', url, cause.message), {
    hint: t('Sandpiper tries again by itself.'),
    cause,
  });
}
