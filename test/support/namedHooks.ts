import { createHmac, randomUUID } from 'node:crypto';
import type { RelayProcess } from './relayProcess.ts';
import type { Delivered } from './webhooks.ts';

export interface SignedHook {
  path: string;
  secret: string;
}

/** The headers of Standard Webhooks. */
export function standardHeaders(
  secret: string,
  body: string,
  { id = randomUUID(), at = Date.now() }: { id?: string; at?: number } = {},
): Record<string, string> {
  const time = String(Math.floor(at / 1000));
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${signature}` };
}

/** Sends a webhook of one's own as a sender does: the bytes, signed. */
export async function deliverNamed(
  relay: Pick<RelayProcess, 'url'>,
  { path, secret }: SignedHook,
  payload: unknown,
  {
    id = randomUUID(),
    at = Date.now(),
    headers = {},
  }: { id?: string; at?: number; headers?: Record<string, string> } = {},
): Promise<Delivered> {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return post(relay, path, body, { ...standardHeaders(secret, body, { id, at }), ...headers }, id);
}

/** Sends it as it is, with other headers than those of Standard Webhooks. */
export async function deliverPlain(
  relay: Pick<RelayProcess, 'url'>,
  path: string,
  payload: unknown,
  headers: Record<string, string> = {},
): Promise<Delivered> {
  return post(relay, path, JSON.stringify(payload), headers, '');
}

/** The headers of Sentry. */
export function sentryHeaders(secret: string, resource: string, payload: unknown): Record<string, string> {
  return {
    'sentry-hook-resource': resource,
    'sentry-hook-timestamp': String(Math.floor(Date.now() / 1000)),
    'sentry-hook-signature': createHmac('sha256', secret).update(JSON.stringify(payload)).digest('hex'),
    'request-id': randomUUID(),
  };
}

async function post(
  relay: Pick<RelayProcess, 'url'>,
  path: string,
  body: string,
  headers: Record<string, string>,
  id: string,
): Promise<Delivered> {
  const answer = await fetch(`${relay.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  const said: unknown = await answer.json();
  const duplicate = typeof said === 'object' && said !== null && 'duplicate' in said ? said.duplicate : undefined;
  return { status: answer.status, duplicate: typeof duplicate === 'boolean' ? duplicate : undefined, id };
}
