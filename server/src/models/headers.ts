import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** The real key, as the relay has it. */
export interface ModelKey {
  kind: 'apiKey' | 'authToken';
  value: string;
}

/** What an agent may tell the model service. Credentials, cookies, proxies and compression are not among it. */
const FORWARDED = /^(accept|content-type|user-agent|x-app|x-client-app|anthropic-.*|x-stainless-.*|x-claude-code-.*)$/;

/** Headers of one connection, and what would let the service speak about another host. */
const NOT_RETURNED = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'set-cookie',
  'alt-svc',
  'strict-transport-security',
]);

/** Headers for the model service: the agent's harmless ones and the real key. */
export function requestHeaders(given: IncomingHttpHeaders, key: ModelKey, bodyBytes: number): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(given)) {
    if (FORWARDED.test(name) && value !== undefined) {
      headers[name] = value;
    }
  }
  if (key.kind === 'apiKey') {
    headers['x-api-key'] = key.value;
  } else {
    headers['authorization'] = `Bearer ${key.value}`;
  }
  if (bodyBytes > 0) {
    headers['content-length'] = bodyBytes;
  }
  // Compressed events could not be counted and would be held back by the compressor.
  headers['accept-encoding'] = 'identity';
  return headers;
}

/** Headers for the agent. A refused key stays refused: without the last one the CLI tries ten times. */
export function responseHeaders(given: IncomingHttpHeaders, status: number): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(given)) {
    if (!NOT_RETURNED.has(name) && value !== undefined) {
      headers[name] = value;
    }
  }
  if (status === 401 || status === 403) {
    headers['x-should-retry'] = 'false';
  }
  return headers;
}

/** The token that a client gave, as `x-api-key` or bearer. */
export function givenToken(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const apiKey = headers['x-api-key'];
  return bearer ?? (typeof apiKey === 'string' ? apiKey : undefined);
}
