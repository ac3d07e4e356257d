import { McpServer } from '@modelcontextprotocol/server';
import type { RelayAccess } from './relayAccess.ts';
import { addSessionTools } from './sessionTools.ts';

const INSTRUCTIONS =
  'Sandpiper runs Claude Code in isolated sandboxes. Start a session with a complete task, wait for it, read its diff. A person reviews and lands the result.';

/** The relay as a server of the Model Context Protocol. It keeps nothing between requests: a session's id is the handle. */
export function createMcpServer(relay: RelayAccess, version: string): McpServer {
  const server = new McpServer({ name: 'sandpiper', title: 'Sandpiper', version }, { instructions: INSTRUCTIONS });
  addSessionTools(server, relay);
  return server;
}
