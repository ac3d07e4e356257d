import type { Item, SessionState } from '../../../protocol/session.ts';

/** What can be done with a message: hand it over earlier, take it back from the queue, or begin its turn anew. */
export type MessageAction = 'hurry' | 'unqueue' | 'again';

export function messageAction(session: SessionState, item: Item): MessageAction | undefined {
  if (item.kind !== 'message' || item.submission !== undefined || session.archived) {
    return undefined;
  }
  if (item.delivery === 'queued') {
    return session.phase.kind === 'working' ? 'hurry' : 'unqueue';
  }
  const last = session.turns.at(-1);
  const isLast = last?.messageIds[0] === item.id && last.checkpoint !== undefined;
  const free = session.phase.kind === 'idle' && !session.restoring && !session.heads && !session.recovering;
  return item.delivery === 'taken' && isLast && free ? 'again' : undefined;
}
