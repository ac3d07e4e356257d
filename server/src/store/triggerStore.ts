/*
 * What asked for a session without a person: deliveries to webhooks of their own, and due times of schedules. Each is
 * there once by its key, and comes to one session at most.
 */

export interface FiringRow {
  key: string;
  /** In order of arrival, from 1. */
  number: number;
  /** `hook alerts`, `schedule nightly` */
  trigger: string;
  /** Times are milliseconds since the epoch. Of a schedule: the due time. */
  at: number;
  state: 'waiting' | 'begun' | 'ignored' | 'refused' | 'dead';
  /** What it is about, where one session at a time is enough. */
  subject: string | undefined;
  sessionId: string | undefined;
  attempts: number;
  dueAt: number;
  reason: string | undefined;
  /** What its session starts with, until there is one. JSON */
  data: string | undefined;
}

export type NewFiring = Pick<FiringRow, 'key' | 'trigger' | 'at' | 'dueAt' | 'data'> & {
  subject?: string;
  /** Told with it, whatever becomes of it. */
  reason?: string;
};

/** At most so many of a trigger whose `at` is later than this and not later than that of the new one. */
export interface FiringCap {
  since: number;
  max: number;
  /** Why it is refused beyond that. */
  reason: string;
}

export interface TriggerStore {
  /**
   * One that was refused may come again; every other stays as it was.
   * @returns what it is now: `there` when nothing was changed
   */
  addFiring(firing: NewFiring, cap: FiringCap): Promise<'added' | 'there' | 'refused'>;
  /** What has no session yet, oldest first. */
  waitingFirings(limit: number): Promise<FiringRow[]>;
  /** Newest first. */
  listFirings(options: {
    trigger?: string;
    subject?: string;
    state?: FiringRow['state'];
    limit: number;
  }): Promise<FiringRow[]>;
  readFiring(key: string): Promise<FiringRow | undefined>;
  /** The latest `at` of a trigger that is not later than this moment, whatever became of it. */
  lastFiring(trigger: string, upTo: number): Promise<number | undefined>;
  /** What its session starts with goes when it is over. */
  settleFiring(change: Pick<FiringRow, 'key' | 'state' | 'sessionId' | 'attempts' | 'dueAt' | 'reason'>): Promise<void>;
  /** Forgets what came before this moment and is not waiting, but for the newest of each trigger. */
  pruneFirings(before: number): Promise<void>;
}
