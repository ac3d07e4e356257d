import { createHash } from 'node:crypto';
import { restoreToUndo } from '../../../protocol/checkpoints.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { EventBody, EventOf } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { turnToStop, whatToStop } from '../../../protocol/stopping.ts';
import type { Agent, ConversationParts } from '../agents/agent.ts';
import type { Draft } from './changeBatch.ts';
import { checkpointOf } from './namedTrees.ts';
import { stopTurn } from './personDrafts.ts';
import type { Runtime } from './runtime.ts';

/* When a session may go back to a turn, and what that means. Pure. */

export type RestoreRequest =
  | { kind: 'restore'; turn: number; code: boolean; conversation: boolean; stop: boolean }
  | { kind: 'undo'; restore: number | undefined; stop: boolean };

/**
 * The first events of a restore; a turn that runs is stopped when that is wanted.
 * @throws `conflict` when the session does something else, `not_found` for a turn without checkpoint, `stale` when there is
 *   nothing to take back
 */
export function startRestore(agent: Agent, state: SessionState, runtime: Runtime, request: RestoreRequest): Draft {
  const started = startedBy(state, request);
  const why = whyNotNow(state, runtime, request.stop);
  if (why !== undefined) {
    throw new SandpiperError('conflict', why.message, { hint: why.hint });
  }
  const running = turnToStop(state) !== undefined;
  const stopping = running ? stopTurn(agent, state, whatToStop(state), started.by) : { events: [] };
  const resumed: EventBody[] = state.phase.kind === 'blocked' ? [{ type: 'sessionResumed', by: started.by }] : [];
  return { ...stopping, events: [...stopping.events, ...resumed, started] };
}

function startedBy(state: SessionState, request: RestoreRequest): EventOf<'restoreStarted'> {
  if (request.kind === 'undo') {
    const { restores = [] } = state;
    const undone =
      request.restore === undefined ? restoreToUndo(state) : restores.find(({ seq }) => seq === request.restore);
    if (!undone) {
      throw new SandpiperError('stale', 'There is no restore to take back.', {
        hint: 'It was taken back already. Every turn can be restored by its number.',
      });
    }
    const { code, conversation, before, seq } = undone;
    const turn = code ? before.heads.code : before.heads.conversation;
    return { type: 'restoreStarted', turn, code, conversation, undoes: seq, by: 'owner' };
  }
  const { turn, code, conversation } = request;
  if (!code && !conversation) {
    throw new SandpiperError('invalid_params', 'Neither the code nor the conversation is to be restored.', {
      hint: 'Choose one of them, or both.',
    });
  }
  checkpointOf(state, turn);
  return { type: 'restoreStarted', turn, code, conversation, by: 'owner' };
}

function whyNotNow(
  state: SessionState,
  runtime: Runtime,
  stop: boolean,
): { message: string; hint: string } | undefined {
  const wait = 'Wait until it is done, then try again.';
  if (runtime.deleting) {
    return { message: 'This session is being deleted.', hint: wait };
  }
  if (state.archived) {
    return { message: 'This session is archived.', hint: 'Bring it back before you restore a turn.' };
  }
  if (state.restoring ?? state.updating) {
    const what = state.restoring ? 'Another restore' : 'An update from the base';
    return { message: `${what} is under way in this session.`, hint: wait };
  }
  if (state.moving) {
    return { message: 'The session is being moved to another sandbox.', hint: wait };
  }
  if (state.phase.kind === 'preparing') {
    return { message: 'The session is being prepared.', hint: 'Wait until its turn has ended, or stop it first.' };
  }
  if (state.recovering) {
    return { message: 'The session is being recovered.', hint: 'Wait until its turn has ended, or stop it first.' };
  }
  if (!stop && (turnToStop(state) !== undefined || state.phase.kind === 'stopping')) {
    return { message: 'The agent is at work.', hint: 'Stop it first, or ask for the restore to stop it.' };
  }
  return state.turns.some(turn => turn.agent && !turn.checkpoint) && !stop
    ? { message: 'The last turn is being saved as a checkpoint.', hint: wait }
    : undefined;
}

/** The commit whose files a restore brings back. @throws `not_found` */
export function targetCommit(state: SessionState): string {
  const { restoring, restores = [] } = state;
  if (restoring?.undoes === undefined) {
    return checkpointOf(state, restoring?.turn ?? 0);
  }
  const undone = restores.find(({ seq }) => seq === restoring.undoes);
  return undone?.saved ?? undone?.before.checkpoint ?? state.base;
}

/** What becomes the agent's conversation. */
export type ConversationPlan =
  /** As it is, `id` as in `SessionState`. */
  | { kind: 'keep'; id: string | undefined }
  /** A new one that begins with a part of another. */
  | { kind: 'cut'; from: string | undefined; later: ConversationParts; id: string }
  /** A new one without a past. */
  | { kind: 'begin'; id: string };

/** @param seq of the restore; the same one makes the same new conversation */
export function planConversation(state: SessionState): ConversationPlan {
  const { restoring, restores = [], turns } = state;
  const id = newConversationId(state.id, restoring?.seq ?? 0);
  const before = restores.find(({ seq }) => seq === restoring?.undoes)?.before;
  const number = before?.heads.conversation ?? restoring?.turn ?? 0;
  if (number === 0) {
    return { kind: 'begin', id };
  }
  const from = before ? before.conversation : turns.find(turn => turn.number === number)?.conversation;
  const later = laterTurns(state, number, from);
  return later.size === 0 ? { kind: 'keep', id: from } : { kind: 'cut', from, later: partsOf(state, later), id };
}

/** The turns after one in a conversation. */
export function laterTurns({ turns }: SessionState, after: number, conversation: string | undefined): Set<number> {
  return new Set(
    turns.filter(turn => turn.number > after && turn.conversation === conversation).map(turn => turn.number),
  );
}

/** What turns brought into their conversation. */
export function partsOf(state: SessionState, numbers: ReadonlySet<number>): ConversationParts {
  const messageIds = new Set(state.turns.filter(turn => numbers.has(turn.number)).flatMap(turn => turn.messageIds));
  const itemIds = new Set<string>();
  for (const item of state.items) {
    if (!('turn' in item) || item.turn === undefined || !numbers.has(item.turn)) {
      continue;
    }
    if (item.kind === 'message') {
      messageIds.add(item.id);
    } else if (item.kind !== 'turnEnd') {
      itemIds.add(item.id);
    }
  }
  return { messageIds, itemIds };
}

/** A UUID of version 8, from what names the restore. */
export function newConversationId(sessionId: string, seq: number): string {
  const hex = createHash('sha256').update(`${sessionId} ${seq}`).digest('hex').slice(0, 32);
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-8$3-8$4-$5');
}

/** Whether the review is still at what a restore left, so that its undo can give back exactly what was before. */
export function untouchedSince(state: SessionState): string | undefined {
  const undone = state.restores?.find(({ seq }) => seq === state.restoring?.undoes);
  return undone && undone.after.proposed === state.proposed ? undone.before.proposed : undefined;
}
