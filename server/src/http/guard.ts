import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { Refusal } from '../core/problem.ts';

/** Where the token of a browser's WebSocket stands: browsers can set no header there. */
const BEARER_SUBPROTOCOL = 'bearer.';
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const WILDCARDS = ['0.0.0.0', '::', ''];

/** `relay`: the relay's own token. `browser`: a short-lived one. `none`: nothing was asked for. */
export type Credential = 'relay' | 'browser' | 'none';

/** What of a request decides whether it may come in. */
export interface RequestFacts {
  /** Every Host header; more than one is an attack. */
  hosts: readonly string[];
  origin: string | undefined;
  token: string | undefined;
}

export interface GuardPolicy {
  /** Host headers that are this relay, lower case, with port. */
  hosts: ReadonlySet<string>;
  verify(token: string): Credential | undefined;
}

export type Decision = { kind: 'allowed'; credential: Credential } | { kind: 'refused'; refusal: Refusal };

/**
 * Whether a request may come in. A web page that the user visits can reach loopback too: its address stands in Origin, or
 * in Host when it has its name resolved to us (DNS rebinding). So both are checked before the token.
 */
export function decideRequest(facts: RequestFacts, policy: GuardPolicy, needsToken: boolean): Decision {
  const host = facts.hosts[0]?.toLowerCase();
  if (host === undefined || facts.hosts.length !== 1 || !policy.hosts.has(host)) {
    return refused(421, 'forbidden', `This relay is not known as "${(host ?? '').slice(0, 100)}".`, {
      hint: 'Use its loopback address, or name this host in the settings of the relay.',
    });
  }
  if (facts.origin !== undefined && facts.origin !== `http://${host}` && facts.origin !== `https://${host}`) {
    return refused(403, 'forbidden', 'Requests from other web pages are refused.', {});
  }
  if (!needsToken) {
    return { kind: 'allowed', credential: 'none' };
  }
  const credential = facts.token === undefined ? undefined : policy.verify(facts.token);
  if (credential === undefined) {
    const what =
      facts.token === undefined ? 'The request has no bearer token.' : 'The bearer token is wrong or expired.';
    return refused(401, 'unauthorized', what, {
      hint: 'Take the token from relay.json in the data folder of the relay, or open the page anew.',
    });
  }
  return { kind: 'allowed', credential };
}

/** The Host headers of a relay that listens on `host:port`; `further` are names it is known by, with or without port. */
export function allowedHosts(host: string, port: number, further: readonly string[]): Set<string> {
  const bound = WILDCARDS.includes(host) ? [] : [host.includes(':') ? `[${host}]` : host];
  const allowed = new Set<string>();
  for (const name of [...LOOPBACK_NAMES, ...bound]) {
    allowed.add(`${name.toLowerCase()}:${port}`);
    if (port === 80) {
      allowed.add(name.toLowerCase());
    }
  }
  for (const name of further) {
    allowed.add(name.toLowerCase());
    if (!/:\d+$/.test(name)) {
      allowed.add(`${name.toLowerCase()}:${port}`);
    }
  }
  return allowed;
}

export interface GuardOptions {
  /** 256 random bits, made by the relay. */
  token: string;
  verifyBrowserToken(token: string): boolean;
  /** Names under which a proxy or another machine reaches this relay. */
  hosts?: readonly string[];
}

/** Stands before every route and every upgrade. Refuses everything until `listensOn` told it its own address. */
export class Guard {
  readonly #options: GuardOptions;
  readonly #tokenHash: Buffer;
  #hosts: ReadonlySet<string> = new Set();

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#tokenHash = sha256(options.token);
  }

  listensOn(host: string, port: number): void {
    this.#hosts = allowedHosts(host, port, this.#options.hosts ?? []);
  }

  /** @param anyOrigin the request shows by itself who sent it: no page could make it */
  check(request: IncomingMessage, needsToken: boolean, anyOrigin = false): Decision {
    const policy: GuardPolicy = { hosts: this.#hosts, verify: token => this.#verify(token) };
    const facts = factsOf(request);
    return decideRequest(anyOrigin ? { ...facts, origin: undefined } : facts, policy, needsToken);
  }

  /** For `attachWebSocket`. */
  readonly checkUpgrade = (request: IncomingMessage): Refusal | undefined => {
    const decision = this.check(request, true);
    return decision.kind === 'refused' ? decision.refusal : undefined;
  };

  #verify(token: string): Credential | undefined {
    if (timingSafeEqual(sha256(token), this.#tokenHash)) {
      return 'relay';
    }
    return this.#options.verifyBrowserToken(token) ? 'browser' : undefined;
  }
}

function factsOf(request: IncomingMessage): RequestFacts {
  return {
    hosts: request.headersDistinct['host'] ?? [],
    origin: request.headers.origin,
    token: bearer(request.headers.authorization) ?? bearerSubprotocol(request.headers['sec-websocket-protocol']),
  };
}

function bearer(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

function bearerSubprotocol(offered: string | undefined): string | undefined {
  const names = (offered ?? '').split(',').map(name => name.trim());
  return names.find(name => name.startsWith(BEARER_SUBPROTOCOL))?.slice(BEARER_SUBPROTOCOL.length);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function refused(
  status: number,
  code: 'forbidden' | 'unauthorized',
  message: string,
  options: { hint?: string },
): Decision {
  return { kind: 'refused', refusal: { status, error: new SandpiperError(code, message, options) } };
}
