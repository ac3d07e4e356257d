import type { CallRecord } from './store.ts';

/** One revision of a spec. The text is as it was written, whether or not it can be read as a spec. */
export interface SpecRow {
  specId: string;
  /** From 1, without gaps. */
  revision: number;
  title: string;
  text: string;
  /** When this revision was written, and the spec itself; milliseconds since the epoch. */
  at: number;
  createdAt: number;
  removed: boolean;
}

/** Documents of the relay beside its sessions: every revision is kept. */
export interface SpecStore {
  /** The newest revision of each spec, the newest first. */
  listSpecs(options: { removed: boolean }): Promise<SpecRow[]>;
  /** The newest revision when none is named; also of a spec that was removed. */
  readSpec(specId: string, revision?: number): Promise<SpecRow | undefined>;
  /** Oldest first. */
  listRevisions(specId: string): Promise<{ revision: number; at: number; title: string }[]>;
  /**
   * Writes a revision after the one that is expected to be the newest (0: there is no such spec), and the record of the
   * call, in one transaction. `stale` when another is the newest; its number is in the details.
   */
  writeSpec(change: {
    specId: string;
    expectedRevision: number;
    title: string;
    text: string;
    at: number;
    call?: CallRecord;
  }): Promise<void>;
  /** Takes a spec out of the list or puts it back; its revisions stay. `not_found`. */
  removeSpec(change: { specId: string; removed: boolean; call?: CallRecord }): Promise<void>;
}
