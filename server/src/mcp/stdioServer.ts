import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { createMcpServer } from './mcpServer.ts';
import type { RelayAccess } from './relayAccess.ts';

/** Serves the Model Context Protocol on standard input and output, until the client ends it. */
export async function serveMcpOnStdio(relay: RelayAccess, version: string): Promise<void> {
  const ended = new Promise<void>(resolve => process.stdin.once('end', resolve).once('close', resolve));
  const handle = serveStdio(() => createMcpServer(relay, version));
  await ended;
  await handle.close();
}
