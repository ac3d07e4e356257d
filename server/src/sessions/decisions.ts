import type { SessionState } from '../../../protocol/session.ts';
import { undeliveredMessages } from '../../../protocol/stopping.ts';
import type { SessionRow } from '../store/store.ts';
import { isToApply, submissionOf, textForAgent } from './appliedReview.ts';
import { isOutdated } from './composing.ts';
import { answeredTurn } from './extractStep.ts';
import { runtimeSchema, type Runtime } from './runtime.ts';
import { planSpec } from './specDecisions.ts';

/** What a session needs next. The same answer after a restart as before it: it depends on the log alone. */
export type Step =
  | { kind: 'wait' }
  | { kind: 'prepareSandbox' }
  | { kind: 'startAgent' }
  /** The log says that an agent runs; read on in its journal. */
  | { kind: 'attachAgent' }
  /** No agent may run in a session that is archived, nor one whose start was given up. */
  | { kind: 'endAgent'; segment: number }
  | { kind: 'deliver'; messageId: string; text: string }
  /** The message carries a review whose rejections and edits are not in the agent's files yet. */
  | { kind: 'applyReview'; submission: number }
  | { kind: 'checkpoint'; turn: number }
  /** A check of a spec, in the sandbox. */
  | { kind: 'check' }
  /** What the building of a spec needs, that is only written down. */
  | { kind: 'spec' }
  /** The answer of a turn is to be kept as a spec. */
  | { kind: 'extractSpec' }
  /** Go back to a turn; no agent runs. */
  | { kind: 'restore' }
  /** Merge in what the base branch has since; no agent runs. */
  | { kind: 'updateBase' }
  /** Go to another sandbox provider; no agent runs. */
  | { kind: 'move' }
  /** Nothing else is due, and what a move left behind is still there. */
  | { kind: 'removeLeft' };

export function decideNext(state: SessionState, runtime: Runtime, attached: boolean): Step {
  const step = decideWork(state, runtime, attached);
  const mayTidy = step.kind === 'wait' && !state.moving && state.turns.every(turn => turn.agent);
  return mayTidy && runtime.left !== undefined ? { kind: 'removeLeft' } : step;
}

/** Whether a session with this step works at nothing. */
export function isAtRest({ kind }: Step): boolean {
  return kind === 'wait' || kind === 'removeLeft';
}

function decideWork(state: SessionState, runtime: Runtime, attached: boolean): Step {
  const blocked = state.phase.kind === 'blocked';
  if (runtime.starting !== undefined && (state.archived || blocked)) {
    return { kind: 'endAgent', segment: runtime.starting };
  }
  if (state.agent.running && !attached) {
    return { kind: 'attachAgent' };
  }
  if (state.agent.running && state.archived) {
    return { kind: 'endAgent', segment: state.agent.segment };
  }
  if (blocked) {
    return { kind: 'wait' };
  }
  if (state.agent.running && mustEnd(state, runtime)) {
    return { kind: 'endAgent', segment: state.agent.segment };
  }
  // The agent may have begun the next turn by itself: the oldest without a checkpoint comes first, and none is left out.
  const unsaved = state.turns.find(turn => turn.agent && !turn.checkpoint);
  if (unsaved) {
    return { kind: 'checkpoint', turn: unsaved.number };
  }
  if (state.archived || state.turns.some(turn => !turn.agent)) {
    return { kind: 'wait' };
  }
  if (state.moving) {
    return nextOfMove(state, runtime);
  }
  const exchange = state.restoring ? 'restore' : state.updating ? 'updateBase' : undefined;
  return exchange
    ? nextOfExchange(state, runtime, exchange)
    : (nextOfSpec(state, runtime) ?? nextDelivery(state, runtime));
}

function nextOfSpec(state: SessionState, { sandbox, cloned }: Runtime): Step | undefined {
  if (answeredTurn(state)) {
    return { kind: 'extractSpec' };
  }
  const { kind } = planSpec(state);
  if (kind === 'none' || kind === 'wait') {
    return undefined;
  }
  return kind !== 'check' ? { kind: 'spec' } : sandbox && cloned ? { kind: 'check' } : { kind: 'prepareSandbox' };
}

/** Other files are to take the place of the agent's. */
function nextOfExchange({ agent }: SessionState, { sandbox, cloned }: Runtime, kind: 'restore' | 'updateBase'): Step {
  if (agent.running) {
    return { kind: 'endAgent', segment: agent.segment };
  }
  return sandbox && cloned ? { kind } : { kind: 'prepareSandbox' };
}

/** A process that may be there without a word of it in the log would write into files that are being taken along. */
function nextOfMove({ agent }: SessionState, { starting }: Runtime): Step {
  const segment = starting ?? (agent.running ? agent.segment : undefined);
  return segment === undefined ? { kind: 'move' } : { kind: 'endAgent', segment };
}

/** Whether an agent must go before anything else: it is recovered, or a person stopped its turn and that is over. */
function mustEnd({ agent, recovering, phase, turns }: SessionState, { stopping }: Runtime): boolean {
  const halted = stopping === agent.segment && phase.kind !== 'stopping' && turns.every(turn => turn.agent);
  return halted || (recovering !== undefined && agent.segment <= recovering.segment);
}

function nextDelivery(state: SessionState, runtime: Runtime): Step {
  const first = undeliveredMessages(state.items)[0];
  if (!first && !state.recovering) {
    return { kind: 'wait' };
  }
  if (!runtime.sandbox || !runtime.cloned) {
    return { kind: 'prepareSandbox' };
  }
  const review = first?.delivery === 'queued' ? submissionOf(state, first) : undefined;
  if (review && isToApply(review) && !state.recovering) {
    return { kind: 'applyReview', submission: review.number };
  }
  if (!state.agent.running) {
    return { kind: 'startAgent' };
  }
  // An agent that goes on with a turn begins it by itself.
  if (!first || state.recovering || runtime.releasing === state.agent.segment) {
    return { kind: 'wait' };
  }
  if (first.delivery === 'queued' && isOutdated(state, runtime) && !runtime.backgroundTasks) {
    return { kind: 'endAgent', segment: state.agent.segment };
  }
  // One message at a time: the next goes when the agent has taken this one and its turn is done.
  return first.delivery === 'sent'
    ? { kind: 'wait' }
    : { kind: 'deliver', messageId: first.id, text: textForAgent(state, first) };
}

/** Whether what prepares a turn must not go on: a person stopped it or put the session away. */
export function isHalted(state: SessionState): boolean {
  return state.archived || state.phase.kind === 'blocked';
}

/** Whether the agent has had nothing to do for so long that its memory is better used. */
export function mayRelease(state: SessionState, runtime: Runtime, idleMs: number, now: number): boolean {
  return (
    state.agent.running &&
    !state.archived &&
    state.phase.kind === 'idle' &&
    state.approvals.length === 0 &&
    undeliveredMessages(state.items).length === 0 &&
    state.recovering === undefined &&
    runtime.backgroundTasks === 0 &&
    runtime.releasing === undefined &&
    now - state.updatedAt >= idleMs
  );
}

/** Whether a relay that comes back must take the session up, by its row alone. */
export function isUnderWay({ summary, runtime }: Pick<SessionRow, 'summary' | 'runtime'>): boolean {
  const { starting, deleting, left } = underWaySchema.parse(JSON.parse(runtime));
  if (summary.agentRunning || starting !== undefined || deleting !== undefined || left !== undefined) {
    return true;
  }
  switch (summary.phase) {
    case 'blocked':
      return false;
    case 'idle':
    case 'preparing':
      return (
        !summary.archived &&
        (summary.phase === 'preparing' ||
          (summary.spec !== undefined && summary.spec.outcome === undefined) ||
          summary.queuedMessages > 0 ||
          RESUMED.has(summary.doing?.kind))
      );
    default:
      return true;
  }
}

const RESUMED: ReadonlySet<unknown> = new Set(['recovering', 'restoring', 'checking']);

const underWaySchema = runtimeSchema.pick({ starting: true, deleting: true, left: true });

/** A short name for a session from its first message. */
export function titleFrom(prompt: string): string {
  const line =
    prompt
      .split('\n')
      .map(part => part.trim())
      .find(part => part !== '') ?? 'Session';
  return line.length <= 80 ? line : `${line.slice(0, 79).trimEnd()}…`;
}

/** Branch of a session's pull request: readable, valid as a ref, unlike any other session's. */
export function branchName(title: string, sessionId: string): string {
  const slug = title
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return `sandpiper/${slug === '' ? 'session' : slug}-${sessionId.slice(-6)}`;
}
