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
  turns: Turn[];
  items: Item[];
  /** How many older items a snapshot left out; they are in the log. */
  omittedItems: number;
  approvals: Approval[];
  /** Answered or withdrawn, newest last, the last 50. */
  answered: AnsweredApproval[];
  usage: Usage;
  /** The last checkpoint, or the base. */
  proposed: string;
  /** The commit whose tree the human has taken; starts as the base. */
  accepted: string;
  stats: ChangeStats;
  pullRequest?: PullRequest;
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
