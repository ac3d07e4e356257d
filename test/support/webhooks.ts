import { createHmac, randomUUID } from 'node:crypto';
import type { RelayProcess } from './relayProcess.ts';

export const WEBHOOK_SECRET = 'the-secret-of-the-webhooks-of-tests';

export interface Delivered {
  status: number;
  duplicate: boolean | undefined;
  id: string;
}

/** Sends a webhook as GitHub does: the bytes, signed. */
export async function deliver(
  relay: Pick<RelayProcess, 'url'>,
  event: string,
  payload: unknown,
  { id = randomUUID(), secret = WEBHOOK_SECRET, headers = {} }: DeliverOptions = {},
): Promise<Delivered> {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const answer = await fetch(`${relay.url}/webhooks/github`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/test',
      'x-github-event': event,
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
      ...headers,
    },
    body,
  });
  const said: unknown = await answer.json();
  const duplicate = typeof said === 'object' && said !== null && 'duplicate' in said ? said.duplicate : undefined;
  return { status: answer.status, duplicate: typeof duplicate === 'boolean' ? duplicate : undefined, id };
}

interface DeliverOptions {
  id?: string;
  secret?: string;
  headers?: Record<string, string>;
}
