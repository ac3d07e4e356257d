import type { SessionState, SessionSummary, ToolItem } from './session.ts';
import { undeliveredMessages } from './stopping.ts';

/** What a session is doing, in the words that every surface shows. `since` is milliseconds since the epoch. */
export interface Activity {
  kind:
    | 'preparing'
    | 'idle'
    | 'ready'
    | 'thinking'
    | 'tool'
    | 'waiting'
    | 'retrying'
    | 'stopping'
    | 'checkpointing'
    | 'blocked'
    | 'starting'
    | 'archived';
  label: string;
  since: number;
}

const PREPARING = {
  mirror: 'Reading the repository',
  sandbox: 'Making the sandbox',
  clone: 'Cloning into the sandbox',
  agent: 'Starting the agent',
} as const;

/** Decides what to show from the session's state alone; the clock belongs to whoever draws it. */
export function describeActivity(state: SessionState): Activity {
  const { phase } = state;
  if (state.archived) {
    return { kind: 'archived', label: 'Archived', since: state.updatedAt };
  }
  if (state.approvals.length > 0) {
    const first = state.approvals[0];
    return { kind: 'waiting', label: 'Waiting for you', since: first?.at ?? state.updatedAt };
  }
  switch (phase.kind) {
    case 'preparing':
      return { kind: 'preparing', label: PREPARING[phase.step], since: phase.since };
    case 'blocked':
      return { kind: 'blocked', label: phase.failure.message, since: phase.since };
    case 'stopping':
      return { kind: 'stopping', label: 'Stopping', since: phase.since };
    case 'checkpointing':
      return { kind: 'checkpointing', label: 'Saving a checkpoint', since: phase.since };
    case 'idle':
      return idleActivity(state, phase.since);
    case 'working':
      return workingActivity(state, phase);
  }
}

function idleActivity(state: SessionState, since: number): Activity {
  const waitingMessage = undeliveredMessages(state.items).at(-1);
  if (waitingMessage) {
    return { kind: 'starting', label: 'Handing the message to the agent', since: waitingMessage.at };
  }
  return state.proposed === state.accepted
    ? { kind: 'idle', label: 'Idle', since }
    : { kind: 'ready', label: 'Ready to review', since };
}

function workingActivity(state: SessionState, phase: Extract<SessionState['phase'], { kind: 'working' }>): Activity {
  if (phase.retry) {
    const { attempt, maxAttempts, status } = phase.retry;
    const why = status === 429 || status === 529 ? 'Model is throttling' : 'Model does not answer';
    return { kind: 'retrying', label: `${why}, retry ${attempt} of ${maxAttempts}`, since: phase.since };
  }
  const tool = state.items.findLast((item): item is ToolItem => item.kind === 'tool' && item.state === 'running');
  if (tool) {
    return { kind: 'tool', label: tool.title === '' ? `Running ${tool.name}` : tool.title, since: tool.at };
  }
  return { kind: 'thinking', label: 'Thinking', since: state.items.at(-1)?.at ?? phase.since };
}

/** The row of a list, derived from the state alone (I1). */
export function summarize(state: SessionState): SessionSummary {
  return {
    id: state.id,
    seq: state.seq,
    title: state.title,
    archived: state.archived,
    repository: state.repository,
    createdAt: state.createdAt,
    updatedAt: state.updatedAt,
    phase: state.phase.kind,
    activity: describeActivity(state).label,
    needsYou: state.approvals.length + (state.phase.kind === 'blocked' ? 1 : 0),
    stats: state.stats,
    pending: state.proposed !== state.accepted,
    queuedMessages: undeliveredMessages(state.items).length,
    agentRunning: state.agent.running,
    usage: state.usage,
    isolation: state.isolation,
    provider: state.provider,
    ...(state.pullRequest ? { pullRequest: state.pullRequest } : {}),
  };
}
