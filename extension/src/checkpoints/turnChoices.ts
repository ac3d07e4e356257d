import { headsOf, setAside, turnName } from '../../../protocol/checkpoints.ts';
import type { SessionState } from '../../../protocol/session.ts';

/* What a person chooses from, and what they are told before they do. No `vscode` here. */

export interface TurnChoice {
  label: string;
  description: string;
  detail: string;
  turn: number;
}

/** The turns that have a checkpoint, the latest first, and the start. */
export function turnChoices(state: SessionState): TurnChoice[] {
  const aside = setAside(state, 'conversation');
  const here = headsOf(state);
  const turns = state.turns
    .filter(({ checkpoint }) => checkpoint !== undefined)
    .map(({ number, messageIds, checkpoint }): TurnChoice => {
      const notes = [
        ...(number === here.code && number === here.conversation ? ['here'] : []),
        ...(aside.has(number) ? ['set aside'] : []),
        ...(checkpoint?.changed === false ? ['no file changed'] : []),
      ];
      return {
        label: `Turn ${number}`,
        description: notes.join(' · '),
        detail: promptOf(state, messageIds),
        turn: number,
      };
    });
  return [...turns.reverse(), { label: 'Start', description: 'before the first turn', detail: state.title, turn: 0 }];
}

export interface PartsChoice {
  label: string;
  detail: string;
  code: boolean;
  conversation: boolean;
}

export function partsChoices(turn: number): PartsChoice[] {
  const end = endOf(turn);
  return [
    {
      label: 'Code and Conversation',
      detail: `The files become what they were at ${end}, and the agent remembers nothing later.`,
      code: true,
      conversation: true,
    },
    {
      label: 'Code Only',
      detail: `The files become what they were at ${end}; the agent still remembers everything.`,
      code: true,
      conversation: false,
    },
    {
      label: 'Conversation Only',
      detail: `The agent remembers nothing after ${end}; the files stay as they are.`,
      code: false,
      conversation: true,
    },
  ];
}

/** What will happen, in plain words. */
export function restoreConsequences(
  state: SessionState,
  turn: number,
  { code, conversation }: { code: boolean; conversation: boolean },
): string {
  const later = state.turns.filter(({ number }) => number > turn).length;
  const sentences = [
    ...(isAtWork(state) ? ['The agent is at work: it is stopped first, and what it did becomes a checkpoint.'] : []),
    ...(code
      ? [`Every file in the sandbox becomes what it was at ${endOf(turn)}. Files that git ignores stay as they are.`]
      : ['No file changes.']),
    ...(conversation
      ? [`The agent forgets what came after ${endOf(turn)}.`]
      : ['The agent still remembers everything.']),
    ...(later > 0 ? [`${later === 1 ? 'One later turn is' : `${later} later turns are`} set aside.`] : []),
    'What you accepted stays accepted, and your own folder is not touched.',
    'Everything as it is now is saved first: Undo Restore brings it back.',
  ];
  return sentences.join('\n\n');
}

/** Whether a restore has to stop a turn, or wait for one to be saved. */
export function isAtWork({ phase }: SessionState): boolean {
  return phase.kind === 'working' || phase.kind === 'stopping' || phase.kind === 'checkpointing';
}

function endOf(turn: number): string {
  return turn === 0 ? turnName(turn) : `the end of ${turnName(turn)}`;
}

function promptOf({ items }: SessionState, messageIds: readonly string[]): string {
  const message = items.find(item => item.kind === 'message' && messageIds.includes(item.id));
  const text = message?.kind === 'message' ? message.text : '';
  const line = text.split('\n').find(part => part.trim() !== '') ?? '';
  return line.length <= 100 ? line : `${line.slice(0, 99)}…`;
}
