import type { EventBody } from '../../../protocol/events.ts';
import type { Item, SessionState } from '../../../protocol/session.ts';
import { recoveryOf } from './recovery.ts';
import { undeliveredMessages } from '../../../protocol/stopping.ts';

/*
 * Whether an agent that says nothing is at work. Nothing here looks at a clock or a process: what the relay sees is handed
 * in, and every age is of a clock that nobody can set, so that a moved wall clock neither hides nor invents a hang.
 */

/** What the relay sees of an agent beside the log. Ages in milliseconds. */
export interface Evidence {
  /** Since the last byte of its output, or since it is watched. */
  silentMs: number;
  /** Calls to the model that are under way. */
  modelCalls: number;
  /** Since the last byte of the model, or since the oldest call began. */
  modelSilentMs: number;
  /** Since its processes used the processor. Undefined where that cannot be seen. */
  cpuIdleMs: number | undefined;
  /** Its process does not run because something holds it (SIGSTOP). */
  held: boolean;
  /** Since its record of the conversation grew. Undefined where that cannot be seen. */
  conversationQuietMs: number | undefined;
  /** How often it says that a tool runs. Undefined when it does not. */
  heartbeatMs: number | undefined;
}

export interface LivenessLimits {
  /** Without any sign of life for this long it is stuck. */
  stuckMs: number;
}

export type Health =
  | { kind: 'well'; modelSilentMs?: number }
  | {
      kind: 'suspect';
      why: 'held' | 'mute' | 'untaken' | 'tool' | 'silent';
      /** One sentence for a person. */
      cause: string;
      /** Nothing is half done: it may be ended and resumed without asking. */
      safe: boolean;
    }
  /** It was started to go on with a turn, and there was nothing to go on with. */
  | { kind: 'nothingToResume' };

/** A model that is silent for this long is named as the one that is waited for. */
const MODEL_QUIET_MS = 10_000;
/** Heartbeats may be late on a busy machine. */
const MISSED_HEARTBEATS = 4;

/** An agent that goes on with a turn begins it within a few seconds of its start. */
const RESUME_MS = 20_000;

/** Whether the session waits for its agent, so that silence means something. */
export function needsWatch(state: SessionState): boolean {
  return (
    state.agent.running &&
    !state.archived &&
    state.approvals.length === 0 &&
    !isBeingEnded(state) &&
    (state.phase.kind === 'working' || (state.phase.kind === 'idle' && (isOnItsWay(state) || isResuming(state))))
  );
}

function isBeingEnded({ recovering, agent }: SessionState): boolean {
  return recovering !== undefined && agent.segment <= recovering.segment;
}

/** The state of an agent that is watched, from evidence. Pure. */
export function judge(state: SessionState, evidence: Evidence, { stuckMs }: LivenessLimits): Health {
  const tool = openTool(state.items);
  if (evidence.silentMs < patienceMs(state, evidence, stuckMs)) {
    return evidence.modelCalls > 0 &&
      evidence.modelSilentMs >= Math.min(MODEL_QUIET_MS, stuckMs / 4) &&
      tool === undefined
      ? { kind: 'well', modelSilentMs: evidence.modelSilentMs }
      : { kind: 'well' };
  }
  const minutes = spoken(evidence.silentMs);
  if (evidence.held) {
    const cause = `The agent has been silent for ${minutes}: its process is paused (SIGSTOP).`;
    return { kind: 'suspect', why: 'held', cause, safe: tool === undefined };
  }
  if (evidence.conversationQuietMs !== undefined && evidence.conversationQuietMs < stuckMs / 2) {
    const cause = `The agent has been silent for ${minutes} though it goes on with its conversation.`;
    return { kind: 'suspect', why: 'mute', cause, safe: false };
  }
  // A model that does not answer is cut off by the gateway, and the agent tries again.
  if (evidence.modelCalls > 0 || (evidence.cpuIdleMs !== undefined && evidence.cpuIdleMs < stuckMs / 2)) {
    return { kind: 'well' };
  }
  if (tool !== undefined) {
    const cause = `The agent has been silent for ${minutes} while ${tool} ran: no heartbeat and no processor time.`;
    return evidence.heartbeatMs === undefined ? { kind: 'well' } : { kind: 'suspect', why: 'tool', cause, safe: false };
  }
  if (state.phase.kind === 'idle') {
    return isOnItsWay(state)
      ? {
          kind: 'suspect',
          why: 'untaken',
          cause: `The agent has not taken your message for ${minutes}: no output and no call to the model.`,
          safe: true,
        }
      : { kind: 'nothingToResume' };
  }
  const cause = `The agent has been silent for ${minutes}: no output, no call to the model, no tool.`;
  return { kind: 'suspect', why: 'silent', cause, safe: true };
}

/** How long silence means nothing. */
function patienceMs(state: SessionState, { heartbeatMs, held }: Evidence, stuckMs: number): number {
  if (state.phase.kind === 'working' && state.phase.retry) {
    return state.phase.retry.delayMs + stuckMs;
  }
  if (state.phase.kind === 'idle' && !isOnItsWay(state)) {
    return Math.min(stuckMs, RESUME_MS);
  }
  return openTool(state.items) !== undefined && heartbeatMs !== undefined && !held
    ? Math.max(stuckMs, heartbeatMs * MISSED_HEARTBEATS)
    : stuckMs;
}

function isOnItsWay(state: SessionState): boolean {
  return undeliveredMessages(state.items)[0]?.delivery === 'sent';
}

function isResuming({ recovering, interrupted, agent }: SessionState): boolean {
  return recovering !== undefined && interrupted !== undefined && agent.segment > recovering.segment;
}

/** Name of a tool that runs in the open turn. */
function openTool(items: readonly Item[]): string | undefined {
  for (let index = items.length - 1; index >= 0; index--) {
    const item = items[index];
    if (item?.kind === 'turnEnd') {
      return undefined;
    }
    if (item?.kind === 'tool' && item.state === 'running') {
      return item.name;
    }
  }
  return undefined;
}

/** A length of time in words. */
function spoken(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

export interface Ladder {
  /** Since the agent was asked to interrupt; undefined when it was not. */
  interruptedMs: number | undefined;
  /** How long it may take over that. */
  graceMs: number;
  maxRecoveries: number;
}

export type WatchAction =
  | { kind: 'none' }
  | { kind: 'noticeStuck'; cause: string; hint: string; automatic: boolean }
  | { kind: 'endStuck' }
  | { kind: 'interrupt'; text: string }
  | { kind: 'recover'; cause: string }
  | { kind: 'endRecovery'; text: string };

/**
 * What the relay does about an agent's health: it tells first, then interrupts, then ends and resumes. By itself only what
 * is safe, and not again and again; the rest is for a person. Pure.
 */
export function decideWatch(state: SessionState, health: Health, ladder: Ladder): WatchAction {
  switch (health.kind) {
    case 'well':
      return state.stuck ? { kind: 'endStuck' } : { kind: 'none' };
    case 'nothingToResume':
      return { kind: 'endRecovery', text: 'There was nothing to go on with: the agent had ended its turn.' };
    case 'suspect':
      break;
  }
  const automatic = health.safe && state.recoveries < ladder.maxRecoveries;
  if (!state.stuck) {
    const hint = automatic
      ? 'Sandpiper tries to go on by itself.'
      : 'Recover ends it and resumes the same conversation.';
    return { kind: 'noticeStuck', cause: health.cause, hint, automatic };
  }
  if (!automatic) {
    return { kind: 'none' };
  }
  // What hears nothing cannot be interrupted.
  if (health.why === 'silent' && ladder.interruptedMs === undefined) {
    return { kind: 'interrupt', text: 'Sandpiper interrupted the agent, which was silent.' };
  }
  return ladder.interruptedMs === undefined || ladder.interruptedMs >= ladder.graceMs
    ? { kind: 'recover', cause: health.cause }
    : { kind: 'none' };
}

/** How an action is told in the log. Empty when the session is no longer as it was when that was decided. */
export function watchEvents(state: SessionState, action: WatchAction, since: number): EventBody[] {
  switch (action.kind) {
    case 'none':
      return [];
    case 'noticeStuck':
      if (state.stuck) {
        return [];
      }
      return [{ type: 'stuckNoticed', cause: action.cause, since, hint: action.hint, automatic: action.automatic }];
    case 'endStuck':
      return state.stuck ? [{ type: 'stuckEnded' }] : [];
    case 'interrupt':
      return state.stuck ? [{ type: 'noticeRaised', level: 'info', text: action.text }] : [];
    case 'recover':
      return state.stuck && !state.recovering ? [recoveryOf(state, 'relay', action.cause)] : [];
    case 'endRecovery':
      return isResuming(state) ? [{ type: 'recoveryEnded', text: action.text }] : [];
  }
}
