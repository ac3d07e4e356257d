import type { Heads, Place, Restore, SessionState, Turn } from './session.ts';

/*
 * Where a session stands in the tree of its turns. A turn goes on from the one before it, or after a restore from another;
 * turns that nothing stands on any more are set aside: they stay in the log and in git, and can be restored.
 */

type Part = keyof Heads;
type Session = Pick<SessionState, 'turns' | 'heads'>;

export function headsOf({ turns, heads }: Session): Heads {
  const last = turns.at(-1)?.number ?? 0;
  return heads ?? { code: last, conversation: last };
}

/** The turns that a turn stands on, itself included. */
export function lineOf(turns: readonly Turn[], from: number, part: Part): Set<number> {
  const line = new Set<number>();
  const byNumber = new Map(turns.map(turn => [turn.number, turn]));
  for (let number = from; number > 0 && !line.has(number);) {
    line.add(number);
    number = byNumber.get(number)?.after?.[part] ?? number - 1;
  }
  return line;
}

/** Where to go back to, to do a turn again: the end of the turn that it went on from; 0 is the start. */
export function turnBefore(turns: readonly Turn[], number: number): number {
  return turns.find(turn => turn.number === number)?.after?.conversation ?? Math.max(0, number - 1);
}

/** The turns that the files have not (`code`), or that the agent does not remember (`conversation`). */
export function setAside(session: Session, part: Part): Set<number> {
  if (!session.heads && session.turns.every(turn => !turn.after)) {
    return new Set();
  }
  const line = lineOf(session.turns, headsOf(session)[part], part);
  return new Set(session.turns.map(turn => turn.number).filter(number => !line.has(number)));
}

/** The commit that the files of the session stand on: of the last turn, of what was restored since, or the start. */
export function currentCheckpoint({
  restored,
  turns,
  base,
}: Pick<SessionState, 'restored' | 'turns' | 'base'>): string {
  return restored ?? turns.findLast(turn => turn.checkpoint)?.checkpoint?.commit ?? base;
}

export function placeOf(state: SessionState): Place {
  return {
    heads: headsOf(state),
    checkpoint: currentCheckpoint(state),
    proposed: state.proposed,
    ...(state.conversation === undefined ? {} : { conversation: state.conversation }),
  };
}

/** The last restore that was not taken back, and that is none that takes another back. */
export function restoreToUndo({ restores = [] }: Pick<SessionState, 'restores'>): Restore | undefined {
  return restores.findLast(({ seq, undoes }) => undoes === undefined && !restores.some(other => other.undoes === seq));
}

/** What a restore brings back, in words: `the code and the conversation`. */
export function restoredParts({ code, conversation }: { code: boolean; conversation: boolean }): string {
  return code && conversation ? 'code and conversation' : code ? 'code' : 'conversation';
}

/** A turn as people name it. */
export function turnName(turn: number): string {
  return turn === 0 ? 'the start of the session' : `turn ${turn}`;
}
