import { findRelay } from '../../client/localRelay.ts';
import { createRelayClient } from '../../client/relayClient.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import { endRelaysOf } from './relaysOf.ts';

/**
 * Ends the relay of a data folder and every agent of its sessions, which outlive it by design. A relay that an extension
 * started is nobody's child, so it is known by its address file only.
 */
export async function stopRelayOf(dataFolder: string): Promise<void> {
  const found = await findRelay(dataFolder);
  if (found) {
    const client = createRelayClient({
      client: { name: 'clean-up', version: '0' },
      connect: () => createWsSocket(found.url, found.token),
    });
    client.connect();
    try {
      // An archived session has no agent.
      const { sessions } = await client.call('session.list', { limit: 500 }, { timeoutMs: 5000 });
      for (const { id } of sessions) {
        await client.call('session.archive', { sessionId: id, archived: true }, { timeoutMs: 15_000 });
      }
    } finally {
      client.dispose();
    }
  }
  await endRelaysOf(dataFolder);
}
