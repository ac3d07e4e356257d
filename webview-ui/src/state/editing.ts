import { signal } from '@preact/signals';
import type { Drafts } from './drafts.ts';

/*
 * The message that is edited to be sent again, by session. Its text is a draft of its own, whose name says the turn, so
 * that a reload of the page finds both.
 */

const edited = signal<ReadonlyMap<string, number>>(new Map());

export function editDraft(sessionId: string, turn: number): string {
  return `edit:${sessionId}:${turn}`;
}

/** The turn whose message is edited; undefined when none is. */
export function editedTurn(drafts: Drafts, sessionId: string): number | undefined {
  const known = edited.value.get(sessionId);
  if (known !== undefined) {
    return known;
  }
  const prefix = `edit:${sessionId}:`;
  const name = Object.keys(drafts.texts.value).find(id => id.startsWith(prefix));
  return name === undefined ? undefined : Number(name.slice(prefix.length));
}

export function beginEdit(drafts: Drafts, sessionId: string, turn: number, text: string): void {
  endEdit(drafts, sessionId);
  drafts.set(editDraft(sessionId, turn), text);
  edited.value = new Map([...edited.peek(), [sessionId, turn]]);
}

export function endEdit(drafts: Drafts, sessionId: string): void {
  const turn = editedTurn(drafts, sessionId);
  if (turn !== undefined) {
    drafts.set(editDraft(sessionId, turn), '');
  }
  edited.value = new Map([...edited.peek()].filter(([id]) => id !== sessionId));
}
