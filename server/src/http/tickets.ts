import { createHash, randomBytes } from 'node:crypto';

const TICKET_MS = 60_000;
const BROWSER_TOKEN_MS = 12 * 60 * 60_000;
const MAX_KEPT = 100;

export interface Issued {
  value: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/**
 * How a browser gets in without ever seeing the relay's token: a one-time ticket in the page's address is exchanged for a
 * token of its own. Both live in memory only, as hashes.
 */
export class TicketDesk {
  readonly #now: () => number;
  readonly #tickets = new Map<string, number>();
  readonly #browserTokens = new Map<string, number>();

  /** @param now milliseconds since the epoch */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  issue(): Issued {
    return this.#keep(this.#tickets, TICKET_MS);
  }

  /** A browser token for a ticket that is unused and in time; the ticket is spent. */
  redeem(ticket: string): Issued | undefined {
    const known = this.#isValid(this.#tickets, ticket);
    this.#tickets.delete(hash(ticket));
    return known ? this.#keep(this.#browserTokens, BROWSER_TOKEN_MS) : undefined;
  }

  verify(browserToken: string): boolean {
    return this.#isValid(this.#browserTokens, browserToken);
  }

  #keep(kept: Map<string, number>, lifetimeMs: number): Issued {
    const now = this.#now();
    for (const [key, expiresAt] of kept) {
      if (expiresAt <= now || kept.size >= MAX_KEPT) {
        kept.delete(key);
      }
    }
    const value = randomBytes(32).toString('base64url');
    const expiresAt = now + lifetimeMs;
    kept.set(hash(value), expiresAt);
    return { value, expiresAt };
  }

  #isValid(kept: Map<string, number>, value: string): boolean {
    return (kept.get(hash(value)) ?? 0) > this.#now();
  }
}

/** Looked up by hash, so that the time of a lookup says nothing about the secret. */
function hash(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}
