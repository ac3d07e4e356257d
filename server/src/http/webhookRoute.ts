import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Request, RequestHandler } from 'express';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { HookForge } from '../../../protocol/hookCalls.ts';
import { noWebhooks, WEBHOOK_ADDRESSES } from '../core/hookConfig.ts';
import { readBody } from './jsonBody.ts';

/** Takes what a forge tells. It decides by the signature alone who may; the bearer token is not asked for. */
export interface WebhookDoor {
  /** Whether there is a secret; without one there is no such route. */
  readonly open: boolean;
  /** Refuses by the headers alone what cannot be right, before the body is read. @throws `unauthorized`, `invalid_request` */
  checkHeaders(headers: IncomingHttpHeaders): void;
  /**
   * Durable when it resolves.
   * @param body byte for byte as it came: that is what is signed
   * @returns whether it is the first time that this delivery came
   */
  receive(headers: IncomingHttpHeaders, body: Buffer): Promise<boolean>;
}

export interface NamedWebhook {
  kind: string;
  name: string;
  /** The last part of the address, where there is a third. */
  pathSecret?: string | undefined;
  headers: IncomingHttpHeaders;
}

/** Takes webhooks of the operator's own, each with a name and a secret. */
export interface NamedWebhookDoor {
  /**
   * Refuses by what comes before the body what cannot be right.
   * @returns how large the body may be
   * @throws `unknown_call`, `unauthorized`, `invalid_request`
   */
  check(webhook: NamedWebhook): number;
  /**
   * Durable when it resolves.
   * @returns `there`: this delivery came before. `ignored`: it asks for nothing
   */
  receive(webhook: NamedWebhook, body: Buffer): Promise<'added' | 'there' | 'ignored'>;
}

/** Where they come in, for express. */
export const NAMED_WEBHOOK_ADDRESSES = ['/webhooks/:kind/:name', '/webhooks/:kind/:name/:secret'];
const NAMED_WEBHOOK = /^\/webhooks\/[a-z]{1,20}\/[a-z0-9-]{1,40}(?:\/[A-Za-z0-9_-]{43})?$/;

const FORGE_WEBHOOKS: ReadonlySet<string> = new Set(Object.values(WEBHOOK_ADDRESSES));

/** Larger than what any event has that something is done about; forges send up to 25 MB. */
const MAX_BODY_BYTES = 5 * 1024 * 1024;

/** Bodies that are read at once from senders who have not shown yet who they are. */
const MAX_READING = 16;

/** Whether a request is for one of these routes: it needs neither token nor Origin. */
export function isWebhook({ method, url }: Pick<IncomingMessage, 'method' | 'url'>): boolean {
  return method === 'POST' && url !== undefined && (FORGE_WEBHOOKS.has(url) || NAMED_WEBHOOK.test(url));
}

export function webhookRoute(forge: HookForge, door: WebhookDoor | undefined): RequestHandler {
  const read = bodyReader();
  return async (request, response) => {
    if (!door?.open) {
      throw noWebhooks(forge);
    }
    door.checkHeaders(request.headers);
    const body = await read(request, MAX_BODY_BYTES);
    const isNew = await door.receive(request.headers, body);
    response.status(202).json({ accepted: true, duplicate: !isNew });
  };
}

export function namedWebhookRoute(door: NamedWebhookDoor | undefined): RequestHandler {
  const read = bodyReader();
  return async (request, response) => {
    const { kind, name, secret } = request.params;
    if (!door || typeof kind !== 'string' || typeof name !== 'string') {
      throw new SandpiperError('unknown_call', 'There is no such webhook.');
    }
    const { headers } = request;
    const webhook = { kind, name, headers, ...(typeof secret === 'string' ? { pathSecret: secret } : {}) };
    const body = await read(request, door.check(webhook));
    const outcome = await door.receive(webhook, body);
    response.status(202).json({ accepted: outcome !== 'ignored', duplicate: outcome === 'there' });
  };
}

/** The path of a request without the secret that may stand in it. */
export function pathWithoutSecret(path: string): string {
  return path.replace(/^(\/webhooks\/[^/]+\/[^/]+)\/.+$/, '$1/...');
}

function bodyReader(): (request: Request, maxBytes: number) => Promise<Buffer> {
  let reading = 0;
  return async (request, maxBytes) => {
    requireJson(request);
    if (reading >= MAX_READING) {
      throw new SandpiperError('unavailable', 'Too many webhooks come at once.', { hint: 'Redeliver it in a moment.' });
    }
    reading++;
    return readBody(request, maxBytes).finally(() => reading--);
  };
}

function requireJson(request: Request): void {
  if (!request.is('application/json') || (request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new SandpiperError('invalid_request', 'Webhooks are JSON and not compressed.', {
      hint: 'Choose the content type application/json in the settings of the webhook.',
    });
  }
}
