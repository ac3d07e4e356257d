import { createRelayClient } from '../../client/relayClient.ts';
import type { RelayClient, RelayClientOptions } from '../../client/relayClient.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import type { SessionEvent } from '../../protocol/events.ts';
import { WIRE_TOKEN } from './wireServer.ts';

/** A client that tries again fast and checks everything the relay sends. Not connected yet. */
export function wireClient(url: string | (() => string), options: Partial<RelayClientOptions> = {}): RelayClient {
  return createRelayClient({
    connect: () => createWsSocket(typeof url === 'string' ? url : url(), WIRE_TOKEN),
    client: { name: 'test', version: '1' },
    backoff: { firstMs: 10, maxMs: 50 },
    checkMessages: true,
    ...options,
  });
}

/** Follows a session and keeps every event that was applied, in the order it came. */
export function collectEvents(client: RelayClient, sessionId: string): SessionEvent[] {
  const events: SessionEvent[] = [];
  client.follow(sessionId, (_mirror, change) => {
    if (change.kind === 'events') {
      events.push(...change.events);
    }
  });
  return events;
}
