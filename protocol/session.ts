import type {
  ApprovalDecision,
  BlobRef,
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
import type { Risk } from './approvalRisk.ts';
import type { Updating } from './baseEvents.ts';
import type { Effort } from './composing.ts';
import type { CommentPlace, ItemAnswer, SubmittedItem } from './feedback.ts';
import type { ContextUse, Todo } from './progress.ts';
import type { Origin } from './origin.ts';
import type { Moving } from './moving.ts';
import type { Network } from './network.ts';
import type { SpecRef } from './specEvents.ts';
import type { SpecProgress, SpecWork } from './specWork.ts';
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
      /** Absent: it waits for the end of the turn that runs. */
      way?: 'steer' | 'interrupt';
      images?: BlobRef[];
      turn?: number;
      /** The number of the submitted review that it carries. */
      submission?: number;
      /** Absent: a person wrote it here. */
      origin?: Origin;
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
  /** What the call began and what goes on by itself, also when the call is answered. */
  task?: {
    state: 'running' | 'ok' | 'failed' | 'stopped';
    since: number;
    finishedAt?: number;
    tokens?: number;
    toolUses?: number;
  };
}

export type Approval = Omit<EventOf<'approvalAsked'>, 'type' | 'approvalId'> & { id: string; at: number };

export type AnsweredApproval = Approval & {
  answer: { decision: ApprovalDecision; by: string; via?: string } | { withdrawn: string };
};

export interface Turn {
  number: number;
  messageIds: string[];
  startedAt: number;
  /** Present once the agent has stopped; the turn itself is done when `checkpoint` is present (I8). */
  agent?: { outcome: TurnOutcome; failure?: Failure; usage: Usage; durationMs: number; at: number };
  checkpoint?: { commit: string; changed: boolean; stats: ChangeStats; at: number };
  /** What it went on from; absent: from the turn before it. */
  after?: Heads;
  /** The agent's conversation that it is in; absent: the one that the session began with. */
  conversation?: string;
}

/** The turn that the files come from, and the last one that the agent remembers; 0 is the start of the session. */
export interface Heads {
  code: number;
  conversation: number;
}

/** Where a session stands: what a restore changes, and its undo brings back. */
export interface Place {
  heads: Heads;
  checkpoint: string;
  proposed: string;
  conversation?: string;
}

/** A restore that is under way. */
export interface Restoring {
  /** Its name. */
  seq: number;
  since: number;
  turn: number;
  code: boolean;
  conversation: boolean;
  undoes?: number;
  by: string;
}

/** A restore that is done. */
export type Restore = Restoring & {
  /** The files as they were before; absent when only the conversation was restored. */
  saved?: string;
  before: Place;
  after: Place;
};

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
    | 'restoring'
    | 'moving'
    | 'checking'
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
  /** Absent: it is not. */
  pinned?: boolean;
  /** Absent: none. */
  tags?: string[];
  /** What the agent may do without asking, in this session alone. Absent: nothing. */
  rules?: string[];
  repository: RepositoryRef;
  /** Absent: a person began it here. */
  origin?: Origin;
  base: string;
  /** The first base, once another one was merged in. */
  startedFrom?: string;
  includesUncommitted: boolean;
  provider: string;
  isolation: Isolation;
  agent: { id: string; version?: string; running: boolean; segment: number };
  /** Absent: the agent's own choice. */
  model?: string;
  effort?: Effort;
  permissionMode: PermissionMode;
  /** What a message may begin with, after a slash. Absent before the agent said so. */
  commands?: string[];
  phase: Phase;
  stuck?: Stuck;
  interrupted?: Interrupted;
  recovering?: Recovering;
  restoring?: Restoring;
  updating?: Updating;
  /** To another sandbox provider; `provider` is the one where it still is. */
  moving?: Moving;
  /** The commit that a restore, an applied review or an update from the base put in place, until the next turn ends. */
  restored?: string;
  /** What the next turn goes on from; absent: from the last turn. */
  heads?: Heads;
  /** The agent's conversation; absent: the one that the session began with. */
  conversation?: string;
  /** What was restored, newest last, the last 50. */
  restores?: Restore[];
  /** The spec that is built or checked here, or was last. */
  spec?: SpecWork;
  /** The answer to this message is to be kept as a spec. */
  extracting?: { messageId: string; by: string; since: number };
  /** The spec that the agent of this session wrote last. */
  extracted?: SpecRef & { seq: number };
  /** The person's own conversation on their machine. */
  importedFrom?: { id: string; folder: string };
  branchedFrom?: { sessionId: string; title: string; turn: number };
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
  /** What the agent means to do, in its order. Absent before it said so. */
  todos?: Todo[];
  /** Absent before the agent said so. */
  context?: ContextUse;
  /** The commit whose tree is on offer: the last checkpoint with the reviewer's rejections and edits, or the base. */
  proposed: string;
  /** The commit whose tree the human has taken; starts as the base. */
  accepted: string;
  review: Review;
  /** Absent before the first comment and submission. */
  feedback?: Feedback;
  stats: ChangeStats;
  pullRequest?: PullRequest;
  network?: Network;
}

/** What the reviewer says to the agent, and what became of it. */
export interface Feedback {
  /** Oldest first. */
  comments: ReviewComment[];
  /** Oldest first, the last 50. */
  submissions: Submission[];
  /** What the agent's files became when the last submission was applied. Before it they were `agents`. */
  applied?: { commit: string; agents: string };
  /** How many were labelled so far, so that a label names one thing in the session. */
  labelled: { C: number; R: number; E: number };
}

export interface ReviewComment {
  id: string;
  at: number;
  by: string;
  place: CommentPlace;
  text: string;
  /** Absent while it is a draft. */
  submission?: number;
  /** Its name in the text to the agent. */
  label?: string;
  /** The newest answer of the agent, with its turn. */
  answer?: ItemAnswer & { turn: number };
  /** By a person. */
  resolved: boolean;
}

export interface Submission {
  number: number;
  /** Of its event. */
  seq: number;
  at: number;
  by: string;
  messageId: string;
  /** The commit with the agent's files and the proposed one, at that moment. */
  agents: string;
  proposed: string;
  /** Absent until the rejections and edits were brought into the agent's files, or that failed. */
  applied?: { files: number; left: string[]; failure?: string };
  items: (SubmittedItem & { answer?: ItemAnswer & { turn: number } })[];
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

/** An open approval in the row of a list. */
export interface Ask {
  id: string;
  kind: Approval['kind'];
  /** Of the tool. */
  name: string;
  title: string;
  at: number;
  canAlwaysAllow: boolean;
  /** What "always" allows. Absent: see the approval. */
  rules?: string[];
  /** As in approvalRisk.ts, for tools. */
  risk?: Risk;
  why?: string;
  /** The title says all that is to be allowed: nothing is cut or left out. */
  whole?: boolean;
}

/** What a list of sessions shows. */
export interface SessionSummary {
  id: string;
  seq: number;
  title: string;
  archived: boolean;
  /** Absent: it is not. */
  pinned?: boolean;
  /** Absent: none. */
  tags?: string[];
  /** What the agent may do without asking, in this session alone. Absent: nothing. */
  rules?: string[];
  repository: RepositoryRef;
  createdAt: number;
  updatedAt: number;
  phase: Phase['kind'];
  activity: string;
  /** The same with the time from which it counts. Absent in rows of an older relay. */
  doing?: Activity;
  /** Approvals that wait for a person, and failures that do. */
  needsYou: number;
  /** The first of the open approvals. Absent: none, or a row of an older relay. */
  asking?: Ask[];
  stats: ChangeStats;
  pending: boolean;
  /** How far the review is, and of which two commits. Absent in rows of an older relay. */
  review?: ReviewCounts & { conflicts: number; accepted: string; proposed: string };
  /** Messages that the agent has not taken yet. */
  queuedMessages: number;
  agentRunning: boolean;
  usage: Usage;
  isolation: Isolation;
  provider: string;
  spec?: SpecProgress;
  pullRequest?: PullRequest;
  /** What on a forge it came from. Absent: a person began it here. */
  origin?: Origin;
}
