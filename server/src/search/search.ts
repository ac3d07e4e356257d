import type { CallHandlers, CallResult, CheckedParams } from '../../../protocol/calls.ts';
import { toError, toSandpiperError } from '../../../protocol/errors.ts';
import type { CallContext } from '../core/callContext.ts';
import type { Logger } from '../core/log.ts';
import type { SearchIndex } from '../store/search.ts';
import type { SessionRow, Store } from '../store/store.ts';
import { snippetOf, termsOf } from './query.ts';
import { textsOf } from './textsOf.ts';

const PAGE_EVENTS = 500;

export interface SearchOptions {
  store: Pick<Store, 'listSessions' | 'readEvents'>;
  /** Opens the index; it is made where there is none. */
  open: () => Promise<SearchIndex>;
  /** Whether there is one already. */
  exists: () => Promise<boolean>;
  /** Takes away the index that is there. */
  clear: () => Promise<void>;
  log: Logger;
}

/**
 * Finds text in all sessions. The index is brought up to the log by each search and by nothing else: writing a log costs
 * nothing more, and what a search finds is what the log says at that moment.
 */
export class Search {
  readonly #options: SearchOptions;
  #index: Promise<SearchIndex> | undefined;
  #catchingUp: Promise<Map<string, SessionRow>> | undefined;
  #closed = false;

  constructor(options: SearchOptions) {
    this.#options = options;
  }

  get handlers(): Pick<CallHandlers<CallContext>, 'session.search'> {
    return { 'session.search': params => this.find(params) };
  }

  /** @throws `invalid_params` for a query without words; as the store */
  async find(params: CheckedParams<'session.search'>): Promise<CallResult<'session.search'>> {
    const terms = termsOf(params.query);
    try {
      return await this.#find(params, terms);
    } catch (error) {
      if (toSandpiperError(error).code !== 'internal' || this.#closed) {
        throw error;
      }
      this.#options.log.log('warn', 'store', 'The search index is made anew', { cause: toError(error).message });
      await this.#begin();
      return this.#find(params, terms);
    }
  }

  async #find(
    { limit, archived }: CheckedParams<'session.search'>,
    terms: readonly string[],
  ): Promise<CallResult<'session.search'>> {
    // Those who ask at once share one reading of the log.
    this.#catchingUp ??= this.#catchUp().finally(() => {
      this.#catchingUp = undefined;
    });
    const sessions = await this.#catchingUp;
    const index = await this.#open();
    // Of those that are not asked for some may be among the first.
    const found = await index.find({ terms, limit: archived ? limit + 1 : limit * 4 + 1 });
    const hits = found.flatMap(({ text, ...hit }) => {
      const row = sessions.get(hit.sessionId);
      return row && (archived || !row.summary.archived)
        ? [{ ...hit, title: row.summary.title, archived: row.summary.archived, snippet: snippetOf(text, terms) }]
        : [];
    });
    return { hits: hits.slice(0, limit), more: hits.length > limit || found.length > limit * 4 };
  }

  /** What a deleted session said goes with it. Never throws: what is left goes with the next search. */
  async forget(sessionId: string): Promise<void> {
    try {
      if (this.#index || (await this.#options.exists())) {
        await (await this.#open()).remove(sessionId);
      }
    } catch (error) {
      this.#options.log.log('warn', 'store', 'A deleted session is still in the search index', {
        sessionId,
        cause: toError(error).message,
      });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#catchingUp?.catch(() => undefined);
    await (await this.#index?.catch(() => undefined))?.close();
  }

  /** What is derived is not mended but made again. */
  async #begin(): Promise<void> {
    const broken = this.#index;
    this.#index = undefined;
    await (await broken?.catch(() => undefined))?.close().catch(() => undefined);
    await this.#options.clear();
  }

  #open(): Promise<SearchIndex> {
    this.#index ??= this.#options.open().catch((error: unknown) => {
      this.#index = undefined;
      throw error;
    });
    return this.#index;
  }

  async #catchUp(): Promise<Map<string, SessionRow>> {
    const { store } = this.#options;
    const index = await this.#open();
    const lists = await Promise.all([false, true].map(archived => store.listSessions({ archived, limit: -1 })));
    const sessions = new Map(lists.flat().map(row => [row.sessionId, row]));
    for (const [sessionId, seq] of await index.positions()) {
      // A log that ends earlier is another one: the data folder was put back from a copy.
      if ((sessions.get(sessionId)?.lastSeq ?? -1) < seq) {
        await index.remove(sessionId);
      }
    }
    const positions = await index.positions();
    for (const { sessionId, lastSeq } of sessions.values()) {
      await this.#add(index, sessionId, positions.get(sessionId) ?? 0, lastSeq);
    }
    return sessions;
  }

  async #add(index: SearchIndex, sessionId: string, from: number, to: number): Promise<void> {
    let at = from;
    while (at < to && !this.#closed) {
      const events = await this.#options.store.readEvents(sessionId, at, PAGE_EVENTS);
      const last = events.at(-1);
      if (!last) {
        return;
      }
      const { texts, gone } = textsOf(events);
      await index.add(sessionId, last.seq, texts, gone);
      at = last.seq;
    }
  }
}
