import { turnName } from './checkpoints.ts';
import { elapsed } from './elapsed.ts';
import { providerName } from './providerName.ts';
import type { Activity, Recovering, SessionState, SessionSummary, ToolItem } from './session.ts';
import { checkTitle } from './specChecks.ts';
import { nextCheck, openWork } from './specWork.ts';
import { undeliveredMessages } from './stopping.ts';
import { t, told } from './text.ts';

/** What a person should see though the log does not say it. `since` is milliseconds since the epoch. */
export interface Quiet {
  /** The model is silent, or the relay's disk is full. */
  kind: 'model' | 'disk';
  since: number;
}

/** A newer relay may prepare in other steps. */
const PREPARING: Readonly<Record<string, string>> = {
  mirror: 'Reading the repository',
  sandbox: 'Making the sandbox',
  clone: 'Cloning into the sandbox',
  agent: 'Starting the agent',
};

/**
 * Decides what to show; the clock belongs to whoever draws it (`activityText`).
 * @param quiet what the relay sees beside the log; elsewhere it comes with the session's row
 */
export function describeActivity(state: SessionState, quiet?: Quiet): Activity {
  const { phase } = state;
  if (state.archived) {
    return { kind: 'archived', label: 'Archived', since: state.updatedAt };
  }
  if (state.approvals.length > 0) {
    const first = state.approvals[0];
    return { kind: 'waiting', label: 'Waiting for you', since: first?.at ?? state.updatedAt };
  }
  if (quiet?.kind === 'disk') {
    return { kind: 'retrying', label: 'The disk of the relay is full', since: quiet.since };
  }
  if (state.stuck && phase.kind !== 'stopping' && !state.recovering) {
    return { kind: 'stuck', label: 'Stuck', since: state.stuck.since };
  }
  if (state.recovering && phase.kind !== 'preparing') {
    return recoveringActivity(state, state.recovering);
  }
  if (state.restoring && phase.kind === 'idle') {
    return { kind: 'restoring', label: `Restoring ${turnName(state.restoring.turn)}`, since: state.restoring.since };
  }
  if (state.updating && phase.kind === 'idle') {
    return { kind: 'restoring', label: `Updating from ${state.updating.branch}`, since: state.updating.since };
  }
  if (state.moving && phase.kind === 'idle') {
    return { kind: 'moving', label: `Moving to ${providerName(state.moving.provider)}`, since: state.moving.since };
  }
  return phaseActivity(state, quiet);
}

function phaseActivity(state: SessionState, quiet: Quiet | undefined): Activity {
  const { phase } = state;
  switch (phase.kind) {
    case 'preparing':
      return { kind: 'preparing', label: PREPARING[phase.step] ?? 'Preparing', since: phase.since };
    case 'blocked':
      return { kind: 'blocked', label: phase.failure.message, since: phase.since };
    case 'stopping':
      return { kind: 'stopping', label: 'Stopping', since: phase.since };
    case 'checkpointing':
      return { kind: 'checkpointing', label: 'Saving a checkpoint', since: phase.since };
    case 'idle':
      return idleActivity(state, phase.since);
    case 'working':
      return workingActivity(state, phase, quiet);
    default:
      // A snapshot of a newer relay can be in a phase that has no name here.
      return { kind: 'idle', label: 'Update Sandpiper to see what it does', since: state.updatedAt };
  }
}

function idleActivity(state: SessionState, since: number): Activity {
  const waitingMessage = undeliveredMessages(state.items).at(-1);
  if (waitingMessage) {
    return { kind: 'starting', label: 'Handing the message to the agent', since: waitingMessage.at };
  }
  const work = openWork(state);
  const check = work && nextCheck(work);
  if (check) {
    const results = Object.values(work.round?.results ?? {});
    return { kind: 'checking', label: `Checking ${checkTitle(check.check)}`, since: results.at(-1)?.at ?? since };
  }
  if (state.extracting) {
    return { kind: 'checking', label: 'Reading the spec', since };
  }
  if (state.interrupted) {
    return { kind: 'interrupted', label: 'Interrupted', since: state.interrupted.at };
  }
  return state.review.pending === 0
    ? { kind: 'idle', label: 'Idle', since }
    : { kind: 'ready', label: 'Ready to review', since };
}

function recoveringActivity(state: SessionState, { segment, since }: Recovering): Activity {
  const ending = state.agent.running && state.agent.segment <= segment;
  return { kind: 'recovering', label: ending ? 'Ending the agent' : 'Resuming the conversation', since };
}

function workingActivity(
  state: SessionState,
  phase: Extract<SessionState['phase'], { kind: 'working' }>,
  quiet: Quiet | undefined,
): Activity {
  if (phase.retry) {
    const { attempt, maxAttempts, status } = phase.retry;
    const why = status === 429 || status === 529 ? 'Model is throttling' : 'Model does not answer';
    return { kind: 'retrying', label: `${why}, retry ${attempt} of ${maxAttempts}`, since: phase.since };
  }
  const tool = state.items.findLast((item): item is ToolItem => item.kind === 'tool' && item.state === 'running');
  if (tool) {
    return { kind: 'tool', label: tool.title === '' ? `Running ${tool.name}` : tool.title, since: tool.at };
  }
  return quiet?.kind === 'model'
    ? { kind: 'thinking', label: 'Waiting for the model', since: quiet.since }
    : { kind: 'thinking', label: 'Thinking', since: state.items.at(-1)?.at ?? phase.since };
}

const COUNTED: ReadonlySet<Activity['kind']> = new Set([
  'preparing',
  'thinking',
  'tool',
  'stopping',
  'checkpointing',
  'starting',
  'recovering',
  'restoring',
  'moving',
  'checking',
]);

/** Whether the time it has taken so far says something. */
export function isCounted({ kind }: Activity): boolean {
  return COUNTED.has(kind);
}

/** What the relay says a session does, as the reader reads it; a tool's title is the agent's own. */
export function activityLabel({ kind, label }: Pick<Activity, 'kind' | 'label'>): string {
  return kind === 'tool' && !label.startsWith('Running ') ? label : told(label);
}

/** The words of an activity at a moment: `Running tests 3:12`, `Stuck: silent for 4 min`. */
export function activityText(activity: Activity, now: number): string {
  const { kind, label, since } = activity;
  // Clocks of two machines differ, and a clock can be set back.
  const ageMs = Math.max(0, now - since);
  const words = activityLabel({ kind, label });
  if (kind === 'stuck') {
    return t('{0}: silent for {1}', words, ageMs < 60_000 ? elapsed(ageMs) : `${Math.floor(ageMs / 60_000)} min`);
  }
  return isCounted(activity) ? `${words} ${elapsed(ageMs)}` : words;
}

/** What a row of a list says a session does, at a moment. */
export function summaryText({ doing, activity }: Pick<SessionSummary, 'doing' | 'activity'>, now: number): string {
  return doing ? activityText(doing, now) : told(activity);
}

/** Whether *Recover* is the way on: the session is blocked or stuck, or its turn was cut off. */
export function isRecoverable({ doing, phase }: Pick<SessionSummary, 'doing' | 'phase'>): boolean {
  return phase === 'blocked' || doing?.kind === 'stuck' || doing?.kind === 'interrupted';
}

/** Whether the session waits for a person without having asked a question. */
export function needsPerson({ phase, stuck, interrupted, recovering, archived }: SessionState): boolean {
  return (
    phase.kind === 'blocked' || (!archived && !recovering && (stuck?.automatic === false || interrupted !== undefined))
  );
}
