import type { IncomingHttpHeaders } from 'node:http';
import type { HookForge } from '../../../protocol/hookCalls.ts';
import type { Address, Trigger } from './trigger.ts';

/** How one kind of forge says in a webhook who it is and what happened. */
export interface HookDialect {
  readonly forge: HookForge;
  /** The headers that name a delivery and its event, for whoever left them out. */
  readonly names: string;
  /**
   * Whether a webhook may come from somebody who knows the secret, before its body is read.
   * @throws `unauthorized`, `invalid_request` where there is more to say than that it is not signed
   */
  looksSigned(headers: IncomingHttpHeaders): boolean;
  /** Whether these very bytes come from somebody who knows the secret. Takes the same time for every wrong one. */
  isSigned(headers: IncomingHttpHeaders, body: Uint8Array, secret: string): boolean;
  /** The id of the delivery, the same when it is sent again, and its event; whatever they look like. */
  delivery(headers: IncomingHttpHeaders): { id: string; event: string };
  addressOf(event: string, payload: unknown): Address;
  /** @returns a sentence when there is nothing to do */
  triggerOf(event: string, payload: unknown): Trigger | { ignored: string };
}

/** A header that came once; else empty. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

/** An event as it is stored: GitHub's by its own name. */
export function storedEvent(forge: HookForge, event: string): string {
  return forge === 'github' ? event : `${forge}/${event}`;
}

export function readStoredEvent(stored: string): { forge: string; event: string } {
  const [event = '', forge = 'github'] = stored.split('/').toReversed();
  return { forge, event };
}
