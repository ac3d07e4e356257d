/** A text of a session that can be found, with the place where a reader sees it. */
export interface SearchText {
  seq: number;
  at: number;
  kind: SearchKind;
  /** Row of the transcript; absent for the title. */
  itemId?: string;
  text: string;
}

export type SearchKind = 'title' | 'message' | 'text' | 'thinking' | 'tool' | 'notice';

export interface SearchHit extends SearchText {
  sessionId: string;
}

/** What a query asks for: all of these, wherever they stand in one text. */
export interface SearchQuery {
  terms: readonly string[];
  limit: number;
}

/**
 * An index of what sessions say, beside the store and derived from it: lost or damaged, it is made anew. Failures are those of
 * the store.
 */
export interface SearchIndex {
  /** The last event of each session that is in it. */
  positions(): Promise<Map<string, number>>;
  /** Adds what the events up to `seq` say, and takes out what they withdrew, in one step. */
  add(sessionId: string, seq: number, texts: readonly SearchText[], gone: readonly string[]): Promise<void>;
  /** Takes a session out; its text is overwritten. */
  remove(sessionId: string): Promise<void>;
  /** Newest first. */
  find(query: SearchQuery): Promise<SearchHit[]>;
  /** What is wrong with it, one sentence each; empty when it is sound. */
  problems(): Promise<string[]>;
  close(): Promise<void>;
}
