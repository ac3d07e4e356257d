import { findRelay } from '../../client/localRelay.ts';
import { readRelayAddress } from '../../client/relayAddress.ts';
import { createRelayClient } from '../../client/relayClient.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import { eventually } from './eventually.ts';

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
  const address = await readRelayAddress(dataFolder);
  if (address && isAlive(address.pid)) {
    process.kill(address.pid, 'SIGTERM');
    await eventually(() => {
      if (isAlive(address.pid)) {
        throw new Error(`The relay (process ${address.pid}) does not end.`);
      }
    }, 15_000);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
