import { SandpiperError } from '../../../protocol/errors.ts';
import type { EventBody, Isolation } from '../../../protocol/events.ts';
import { providerName } from '../../../protocol/providerName.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { turnToStop, whatToStop } from '../../../protocol/stopping.ts';
import type { Agent } from '../agents/agent.ts';
import type { SandboxRef } from '../sandboxes/provider.ts';
import type { Draft } from './changeBatch.ts';
import { stopTurn } from './personDrafts.ts';
import type { Left, Runtime } from './runtime.ts';

/* When a session may go to another sandbox provider, and where it leaves sandboxes behind. Pure. */

export interface MoveRequest {
  provider: string;
  isolation: Isolation;
  stop: boolean;
}

const by = 'owner';

/**
 * The first events of a move; a turn that runs is stopped when that is wanted.
 * @throws `conflict` when the session is there already or does something else
 */
export function startMove(agent: Agent, state: SessionState, runtime: Runtime, request: MoveRequest): Draft {
  const { provider, isolation, stop } = request;
  const why = whyNotMove(state, runtime, provider) ?? (stop ? undefined : whyNotYet(state, runtime));
  if (why) {
    throw new SandpiperError('conflict', why.message, { hint: why.hint });
  }
  const interrupts = turnToStop(state) !== undefined || state.approvals.length > 0;
  const stopping = interrupts ? stopTurn(agent, state, whatToStop(state), by) : { events: [] };
  const resumed: EventBody[] = state.phase.kind === 'blocked' ? [{ type: 'sessionResumed', by }] : [];
  return {
    ...stopping,
    events: [...stopping.events, ...resumed, { type: 'moveStarted', provider, isolation, by }],
    runtime: { ...stopping.runtime, left: leftWith(runtime.left, { provider }) },
  };
}

interface Reason {
  message: string;
  hint: string;
}

const WAIT = 'Wait until it is done, then try again.';

function whyNotMove(state: SessionState, runtime: Runtime, provider: string): Reason | undefined {
  if (provider === state.provider) {
    return { message: `The session is on ${providerName(provider)} already.`, hint: 'Choose another provider.' };
  }
  if (runtime.deleting) {
    return { message: 'This session is being deleted.', hint: WAIT };
  }
  if (state.archived) {
    return { message: 'This session is archived.', hint: 'Bring it back before you move it.' };
  }
  if (state.moving) {
    return { message: `The session is being moved to ${providerName(state.moving.provider)}.`, hint: WAIT };
  }
  if (state.restoring ?? state.updating) {
    const what = state.restoring ? 'A restore' : 'An update from the base';
    return { message: `${what} is under way in this session.`, hint: WAIT };
  }
  if (state.phase.kind === 'preparing') {
    return { message: 'The session is being prepared.', hint: 'Wait until its turn has ended, or stop it first.' };
  }
  return state.recovering
    ? { message: 'The session is being recovered.', hint: 'Wait until its turn has ended, or stop it first.' }
    : undefined;
}

/** What a stop would end. */
function whyNotYet(state: SessionState, { backgroundTasks = 0 }: Runtime): Reason | undefined {
  if (state.approvals.length > 0) {
    return { message: 'The session waits for your answer.', hint: 'Answer it, or stop the turn and move.' };
  }
  if (turnToStop(state) !== undefined || state.phase.kind === 'stopping') {
    return { message: 'The agent is at work.', hint: 'Wait until its turn has ended, or stop the turn and move.' };
  }
  if (state.turns.some(turn => turn.agent && !turn.checkpoint)) {
    return { message: 'The last turn is being saved as a checkpoint.', hint: WAIT };
  }
  return state.agent.running && backgroundTasks > 0
    ? { message: 'The agent has tasks in the background, which a move ends.', hint: 'Wait for them, or stop and move.' }
    : undefined;
}

/** Names a place once. */
function leftWith(left: readonly Left[] | undefined, place: Left): Left[] {
  return [...(left ?? []).filter(other => !isSame(other, place)), place];
}

/** After the switch: what the session was in is left, and what it is in now is not. */
export function leftAfterMove({ left, sandbox }: Runtime, from: string, now: SandboxRef): Left[] {
  const others = (left ?? []).filter(({ provider }) => provider !== now.provider);
  return leftWith(others, { provider: from, ...(sandbox ? { id: sandbox.id } : {}) });
}

/** Without a place where nothing is left; a move to it that began meanwhile still needs its name. */
export function leftWithout({ moving }: SessionState, { left }: Runtime, gone: Left): Left[] | undefined {
  const rest = (left ?? []).filter(place => !isSame(place, gone) || place.provider === moving?.provider);
  return rest.length > 0 ? rest : undefined;
}

function isSame(one: Left, other: Left): boolean {
  return one.provider === other.provider && one.id === other.id;
}
