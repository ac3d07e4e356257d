import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { SandpiperError } from '../../../protocol/errors.ts';
import { parseBounded } from './boundedJson.ts';
import { glitchtipReport, sentryReport, type ErrorReport } from './errorReport.ts';
import type { HookDefinition } from './hookDefinition.ts';
import { errorMaterial, hookMaterial, type Material } from './hookPrompt.ts';
import { isSignedBy, notSigned, readSignedHeaders } from '../core/standardWebhook.ts';

/* Who sent a webhook, and what it tells, for each kind of sender. */

export interface Incoming {
  kind: string;
  name: string;
  /** The last part of the address, where the secret stands there. */
  pathSecret?: string | undefined;
  headers: IncomingHttpHeaders;
}

export interface Delivery {
  /** The same for what is sent again. */
  id: string;
  payload: Record<string, unknown>;
  /** What is handed over whole. */
  material: Material;
  /** What it is about, where one session at a time is enough. */
  subject?: string;
}

const HEX = /^[0-9a-f]{64}$/;

/** What can be refused before the body is read. @throws `unauthorized`, `invalid_request` */
export function checkIncoming(kind: HookDefinition['kind'], secret: string, incoming: Incoming, nowMs: number): void {
  switch (kind) {
    case 'generic':
      readSignedHeaders(incoming.headers, nowMs);
      return;
    case 'sentry':
      if (!HEX.test(String(incoming.headers['sentry-hook-signature']))) {
        throw notOfSentry('The webhook has no sentry-hook-signature.');
      }
      return;
    case 'glitchtip':
      // Hashed, so that neither length nor content shows in the time that it takes.
      if (!timingSafeEqual(digestOf(incoming.pathSecret ?? ''), digestOf(secret))) {
        throw new SandpiperError('unauthorized', 'The address of the webhook is wrong.', {
          hint: 'Its last part is the secret: `sandpiper hooks rotate` makes another one.',
        });
      }
      return;
  }
}

/**
 * @returns undefined when it asks for nothing
 * @throws `unauthorized`, `invalid_request`
 */
export function deliveryOf(
  { kind, name }: Pick<HookDefinition, 'kind' | 'name'>,
  secret: string,
  incoming: Incoming,
  body: Buffer,
): Delivery | undefined {
  checkIncoming(kind, secret, incoming, Date.now());
  switch (kind) {
    case 'generic': {
      const signed = readSignedHeaders(incoming.headers, Date.now());
      if (!isSignedBy(secret, signed, body)) {
        throw notSigned('The signature of the webhook is wrong.');
      }
      const payload = parseBounded(body.toString('utf8'));
      return { id: signed.id, payload, material: hookMaterial(name, payload) };
    }
    case 'sentry': {
      const expected = createHmac('sha256', secret).update(body).digest();
      if (!timingSafeEqual(Buffer.from(String(incoming.headers['sentry-hook-signature']), 'hex'), expected)) {
        throw notOfSentry('The sentry-hook-signature is wrong.');
      }
      const payload = parseBounded(body.toString('utf8'));
      const report = sentryReport(String(incoming.headers['sentry-hook-resource']), payload);
      // Only the body is signed: by another id the same one could be played again.
      return ofReport(report, payload, { id: digestOf(body).toString('hex').slice(0, 32), sender: 'Sentry' });
    }
    case 'glitchtip': {
      const payload = parseBounded(body.toString('utf8'));
      // It names no delivery, and tells of an error that came back in the same words.
      return ofReport(glitchtipReport(payload), payload, { id: randomUUID(), sender: 'GlitchTip' });
    }
  }
}

function ofReport(
  report: ErrorReport | undefined,
  payload: Record<string, unknown>,
  { id, sender }: { id: string; sender: string },
): Delivery | undefined {
  return (
    report && {
      id,
      payload,
      material: errorMaterial(sender, report),
      ...(report.issue === undefined ? {} : { subject: report.issue }),
    }
  );
}

function digestOf(value: string | Uint8Array): Buffer {
  return createHash('sha256').update(value).digest();
}

function notOfSentry(message: string): SandpiperError {
  return new SandpiperError('unauthorized', message, {
    hint: 'Give `sandpiper hooks add --secret-file` the client secret of the integration in Sentry.',
  });
}
