import type {
  ApprovalDecision,
  ChangeStats,
  EventOf,
  Failure,
  Isolation,
  Payload,
  PermissionMode,
  PullRequest,
  RepositoryRef,
  TurnOutcome,
  Usage,
} from './events.ts';
import type { ReviewConflict, ReviewCounts } from './review.ts';

/** One row of the transcript. Ids are unique within a session. */
export type Item =
  | {
      kind: 'message';
      id: string;
      at: number;
      text: string;
      by: string;
      delivery: 'queued' | 'sent' | 'taken';
      turn?: number;
    }
  | { kind: 'text' | 'thinking'; id: string; at: number; turn: number; text: Payload; parentToolId?: string }
  | ToolItem
  | { kind: 'notice'; id: string; at: number; level: 'info' | 'warning' | 'error'; text: string; hint?: string }
  | {
      kind: 'turnEnd';
      id: string;
      at: number;
      turn: number;
      outcome: TurnOutcome;
      changed: boolean;
      failure?: Failure;
      usage: Usage;
      durationMs: number;
    };

export interface ToolItem {
  kind: 'tool';
  id: string;
  at: number;
  turn: number;
  name: string;
  title: string;
  input: Payload;
  parentToolId?: string;
  /** `waiting` until its approval is answered. */
  state: 'running' | 'waiting' | 'ok' | 'failed' | 'denied' | 'stopped';
  output?: Payload;
  finishedAt?: number;
}

export type Approval = Omit<EventOf<'approvalAsked'>, 'type' | 'approvalId'> & { id: string; at: number };

export type AnsweredApproval = Approval & {
  answer: { decision: ApprovalDecision; by: string } | { withdrawn: string };
};

export interface Turn {
  number: number;
  messageIds: string[];
  startedAt: number;
  /** Present once the agent has stopped; the turn itself is done when `checkpoint` is present (I8). */
  agent?: { outcome: TurnOutcome; failure?: Failure; usage: Usage; durationMs: number; at: number };
  checkpoint?: { commit: string; changed: boolean; stats: ChangeStats; at: number };
}

/** What a session is doing, in the words that every surface shows. `since` is milliseconds since the epoch. */
export interface Activity {
  kind:
    | 'preparing'
    | 'idle'
    | 'ready'
    | 'interrupted'
    | 'thinking'
    | 'tool'
    | 'waiting'
    | 'retrying'
    | 'stuck'
    | 'recovering'
    | 'stopping'
    | 'checkpointing'
    | 'blocked'
    | 'starting'
    | 'archived';
  label: string;
  since: number;
}

/**
 * What a session is doing. The wrong combinations cannot be written: a turn exists only while working, a failure only
 * when blocked.
 */
export type Phase =
  | { kind: 'preparing'; step: EventOf<'preparing'>['step']; since: number }
  | { kind: 'idle'; since: number }
  | { kind: 'working'; turn: number; since: number; retry?: EventOf<'modelRetrying'> }
  | { kind: 'stopping'; turn: number; since: number }
  | { kind: 'checkpointing'; turn: number; since: number }
  | { kind: 'blocked'; failure: Failure; since: number };

/** No sign of life where one is due. */
export interface Stuck {
  /** When the last one came. */
  since: number;
  cause: string;
  /** The relay goes on by itself; otherwise a person decides. */
  automatic: boolean;
}

/** A turn whose agent ended under it. *Recover* goes on with it. */
export interface Interrupted {
  turn: number;
  at: number;
  cause: string;
  /** A tool ran: what it did may be half done, so that a person decides whether the turn goes on. */
  toolRan: boolean;
}

/** The agent of `segment` is ended, and the next one goes on with its conversation. */
export interface Recovering {
  since: number;
  by: string;
  attempt: number;
  delayMs: number;
  cause: string;
  segment: number;
}

export interface SessionState {
  id: string;
  /** The last event that is in this state. */
  seq: number;
  createdAt: number;
  updatedAt: number;
  title: string;
  archived: boolean;
  repository: RepositoryRef;
  base: string;
  includesUncommitted: boolean;
  provider: string;
  isolation: Isolation;
  agent: { id: string; version?: string; running: boolean; segment: number };
  model?: string;
  permissionMode: PermissionMode;
  phase: Phase;
  stuck?: Stuck;
  interrupted?: Interrupted;
  recovering?: Recovering;
  /** Recoveries in a row, since a turn ended well. */
  recoveries: number;
  turns: Turn[];
  items: Item[];
  /** How many older items a snapshot left out; they are in the log. */
  omittedItems: number;
  approvals: Approval[];
  /** Answered or withdrawn, newest last, the last 50. */
  answered: AnsweredApproval[];
  usage: Usage;
  /** The commit whose tree is on offer: the last checkpoint with the reviewer's rejections and edits, or the base. */
  proposed: string;
  /** The commit whose tree the human has taken; starts as the base. */
  accepted: string;
  review: Review;
  stats: ChangeStats;
  pullRequest?: PullRequest;
}

/** How far the review is. It is finished when nothing is pending. */
export interface Review extends ReviewCounts {
  /** By path, until the reviewer has decided. */
  conflicts: ReviewConflict[];
  /** What can be taken back, newest last, the last 200. */
  decisions: ReviewDecision[];
}

export interface ReviewDecision {
  seq: number;
  /** Whether it took another one back. */
  undo: boolean;
  before: { accepted: string; proposed: string };
  after: { accepted: string; proposed: string };
}

/** What a list of sessions shows. */
export interface SessionSummary {
  id: string;
  seq: number;
  title: string;
  archived: boolean;
  repository: RepositoryRef;
  createdAt: number;
  updatedAt: number;
  phase: Phase['kind'];
  activity: string;
  /** The same with the time from which it counts. Absent in rows of an older relay. */
  doing?: Activity;
  /** Approvals that wait for a person, and failures that do. */
  needsYou: number;
  stats: ChangeStats;
  pending: boolean;
  /** Messages that the agent has not taken yet. */
  queuedMessages: number;
  agentRunning: boolean;
  usage: Usage;
  isolation: Isolation;
  provider: string;
  pullRequest?: PullRequest;
}
