import { createHmac, randomUUID } from 'node:crypto';
import type { EmulatedEvent } from './forge/emulatedHooks.ts';
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
  return send(relay, 'github', id, body, {
    'user-agent': 'GitHub-Hookshot/test',
    'x-github-event': event,
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    ...headers,
  });
}

/** Sends a webhook as Gitea and Forgejo do. */
export async function deliverGitea(
  relay: Pick<RelayProcess, 'url'>,
  { event, payload }: EmulatedEvent,
  { id = randomUUID(), secret = WEBHOOK_SECRET, headers = {} }: DeliverOptions = {},
): Promise<Delivered> {
  const body = JSON.stringify(payload, null, 2);
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return send(relay, 'gitea', id, body, {
    'x-gitea-delivery': id,
    'x-gitea-event': event,
    'x-gitea-event-type': event,
    'x-gitea-signature': signature,
    'x-github-delivery': id,
    'x-github-event': event,
    'x-hub-signature-256': `sha256=${signature}`,
    ...headers,
  });
}

/** Sends a webhook as GitLab does that has a secret token. */
export async function deliverGitlab(
  relay: Pick<RelayProcess, 'url'>,
  { event, payload }: EmulatedEvent,
  { id = randomUUID(), secret = WEBHOOK_SECRET, headers = {} }: DeliverOptions = {},
): Promise<Delivered> {
  return send(relay, 'gitlab', id, JSON.stringify(payload), {
    'user-agent': 'GitLab/19.5.0',
    'idempotency-key': id,
    'x-gitlab-event': event,
    'x-gitlab-webhook-uuid': randomUUID(),
    'x-gitlab-event-uuid': randomUUID(),
    'x-gitlab-instance': 'https://gitlab.example',
    'x-gitlab-token': secret,
    ...headers,
  });
}

/** What GitLab sends in place of the secret where it has a signing token. */
export function gitlabSignature(
  token: string,
  { event: _event, payload }: EmulatedEvent,
  { id, at = Date.now() }: { id: string; at?: number },
): Record<string, string> {
  const time = `${Math.floor(at / 1000)}`;
  const key = Buffer.from(token.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key)
    .update(`${id}.${time}.${JSON.stringify(payload)}`)
    .digest('base64');
  return { 'x-gitlab-token': '', 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${signature}` };
}

async function send(
  relay: Pick<RelayProcess, 'url'>,
  forge: string,
  id: string,
  body: string,
  headers: Record<string, string>,
): Promise<Delivered> {
  const answer = await fetch(`${relay.url}/webhooks/${forge}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
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
