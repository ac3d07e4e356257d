import { notificationFrame } from '../../../protocol/rpc.ts';
import type { FeedEncoder } from '../feed/batch.ts';

/** JSON-RPC notifications, put together from events that are JSON already. */
export const wsEncoder: FeedEncoder = {
  events(sessionId, events) {
    const list = events.map(event => event.json).join(',');
    return Buffer.from(
      `{"jsonrpc":"2.0","method":"session.events","params":{"sessionId":${JSON.stringify(sessionId)},"events":[${list}]}}`,
    );
  },
  delta(delta) {
    return Buffer.from(notificationFrame('session.delta', delta));
  },
};
