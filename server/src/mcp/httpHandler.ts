import { createMcpHandler } from '@modelcontextprotocol/server';
import { createMcpServer } from './mcpServer.ts';
import type { RelayAccess } from './relayAccess.ts';

export interface McpAnswer {
  status: number;
  headers: Record<string, string>;
  /** Text of JSON, or of an event stream while it comes. */
  body: ReadableStream<Uint8Array> | null;
}

export interface McpRequest {
  method: string;
  headers: Readonly<Record<string, string>>;
  /** Already read and parsed. */
  body: unknown;
  /** Fires when the client went away. */
  signal: AbortSignal;
}

/** Answers requests to `/mcp`. Whoever calls has checked the token, Host and Origin. */
export function createMcpResponder(version: string): (request: McpRequest, relay: RelayAccess) => Promise<McpAnswer> {
  return async ({ method, headers, body, signal }, relay) => {
    const handler = createMcpHandler(() => createMcpServer(relay, version));
    const request = new Request('http://sandpiper.invalid/mcp', {
      method,
      headers,
      signal,
      ...(method === 'GET' || method === 'HEAD' ? {} : { body: JSON.stringify(body) }),
    });
    const response = await handler.fetch(request, { parsedBody: body });
    return { status: response.status, headers: Object.fromEntries(response.headers), body: response.body };
  };
}
