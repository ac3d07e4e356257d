import { syntheticSource } from './wireSynthetic.ts';
import { startWireServer } from './wireServer.ts';

/*
 * A relay in a process of its own, so that its memory can be measured. Events are made from their number, so neither
 * the log nor the test costs memory. Messages: `{append: n}`, `{memory: true}`, `{close: true}`.
 */
const source = syntheticSource(Number(process.argv[2]));
const server = await startWireServer({ source, ws: { stallTimeoutMs: Number(process.argv[3]) } });

process.on('message', (message: { append?: number; memory?: boolean; close?: boolean }) => {
  if (message.append !== undefined) {
    source.append(message.append);
    process.send?.({ lastSeq: source.lastSeq });
  } else if (message.memory) {
    globalThis.gc?.();
    process.send?.({ rss: process.memoryUsage().rss, sockets: server.ws.size });
  } else {
    void server.close().then(() => process.disconnect());
  }
});
process.send?.({ url: server.url, sessionId: source.sessionId });
