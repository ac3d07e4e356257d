import type { SessionState } from '../../../protocol/session.ts';
import type { Outcome } from './requestData.ts';

/** What became of a message: undefined while it waits, or its turn goes on. Pure. */
export function outcomeOf(state: SessionState, messageId: string): Outcome | undefined {
  const turn = state.turns.find(({ messageIds }) => messageIds.includes(messageId));
  return turn ? outcomeOfTurn(state, turn.number) : withoutTurn(state, messageId);
}

function outcomeOfTurn(state: SessionState, number: number): Outcome | undefined {
  const turn = state.turns.find(candidate => candidate.number === number);
  if (turn?.agent?.outcome === 'failed' && (goesOnByItself(state) || wentOn(state, number))) {
    return outcomeOfTurn(state, number + 1);
  }
  const text = textOf(state, number);
  if (turn?.agent && turn.checkpoint) {
    const { changed } = turn.checkpoint;
    switch (turn.agent.outcome) {
      case 'completed':
        return { kind: 'completed', text, changed };
      case 'stopped':
        return { kind: 'person', text, changed, reason: 'A person stopped the work.' };
      case 'failed':
        return {
          kind: 'failed',
          text,
          changed,
          reason: turn.agent.failure?.message ?? 'The agent did not get to an end.',
        };
    }
  }
  return haltedOutcome(state, text);
}

function withoutTurn(state: SessionState, messageId: string): Outcome | undefined {
  const isThere = state.items.some(item => item.kind === 'message' && item.id === messageId);
  if (!isThere && state.omittedItems === 0) {
    return { kind: 'person', text: '', changed: false, reason: 'A person took the message back.' };
  }
  return haltedOutcome(state, '');
}

/** What ends the wait for a turn that did not get to its end. */
function haltedOutcome(state: SessionState, text: string): Outcome | undefined {
  if (state.archived) {
    return { kind: 'person', text, changed: false, reason: 'The session was archived.' };
  }
  if (state.phase.kind === 'blocked') {
    const { message, hint } = state.phase.failure;
    return { kind: 'failed', text, changed: false, reason: hint === undefined ? message : `${message} ${hint}` };
  }
  return undefined;
}

/** A turn without messages goes on with the one before it. */
function wentOn({ turns }: SessionState, number: number): boolean {
  return turns.find(turn => turn.number === number + 1)?.messageIds.length === 0;
}

function goesOnByItself({ recovering, interrupted }: SessionState): boolean {
  return recovering !== undefined || (interrupted !== undefined && !interrupted.toolRan);
}

function textOf(state: SessionState, number: number): string {
  return state.items
    .flatMap(item =>
      item.kind === 'text' && item.turn === number && item.parentToolId === undefined ? [item.text.text] : [],
    )
    .join('\n\n');
}
