import type { PullRequestStatus } from '../../../protocol/pullRequestStatus.ts';
import type { Place } from './colleague.ts';

/** A pull request as the forge has it now. */
export interface WatchedPull {
  state: 'open' | 'closed' | 'merged';
  draft: boolean;
  baseBranch: string;
  /** Absent when it is over. */
  status?: PullRequestStatus;
}

/** The last answers, by what was asked: a forge that says that nothing changed has said it cheaply. */
export type Remembered = Map<string, { etag: string; data: unknown }>;

/** Reads how a pull request stands. Changes nothing. Failures are those of forge.ts. */
export interface PullWatcher {
  read(place: Place, number: number, remembered: Remembered): Promise<WatchedPull>;
}
