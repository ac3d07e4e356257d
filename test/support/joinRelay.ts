import { findRelay } from '../../client/localRelay.ts';
import { createRelayClient, type RelayClient } from '../../client/relayClient.ts';
import { createWsSocket } from '../../client/wsSocket.ts';

/** A client of the relay of a data folder, whoever starts it and whenever, and of the next when it was killed. */
export function joinRelay(dataFolder: string): RelayClient {
  const client = createRelayClient({
    client: { name: 'test', version: '0' },
    backoff: { firstMs: 50, maxMs: 500 },
    checkMessages: true,
    connect: async () => {
      const found = await findRelay(dataFolder);
      if (!found) {
        throw new Error('There is no relay yet.');
      }
      return createWsSocket(found.url, found.token);
    },
  });
  client.connect();
  return client;
}
