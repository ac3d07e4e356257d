import { headsOf, setAside, turnName } from '../../../protocol/checkpoints.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { t, told } from '../../../protocol/text.ts';

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
        ...(number === here.code && number === here.conversation ? [t('here')] : []),
        ...(aside.has(number) ? [t('set aside')] : []),
        ...(checkpoint?.changed === false ? [t('no file changed')] : []),
      ];
      return {
        label: t('Turn {0}', number),
        description: notes.join(' · '),
        detail: promptOf(state, messageIds),
        turn: number,
      };
    });
  return [
    ...turns.reverse(),
    { label: t('Start'), description: t('before the first turn'), detail: state.title, turn: 0 },
  ];
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
      label: t('Code and Conversation'),
      detail: t('The files become what they were at {0}, and the agent remembers nothing later.', end),
      code: true,
      conversation: true,
    },
    {
      label: t('Code Only'),
      detail: t('The files become what they were at {0}; the agent still remembers everything.', end),
      code: true,
      conversation: false,
    },
    {
      label: t('Conversation Only'),
      detail: t('The agent remembers nothing after {0}; the files stay as they are.', end),
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
    ...(isAtWork(state) ? [t('The agent is at work: it is stopped first, and what it did becomes a checkpoint.')] : []),
    ...(code
      ? [
          t(
            'Every file in the sandbox becomes what it was at {0}. Files that git ignores stay as they are.',
            endOf(turn),
          ),
        ]
      : [t('No file changes.')]),
    ...(conversation
      ? [t('The agent forgets what came after {0}.', endOf(turn))]
      : [t('The agent still remembers everything.')]),
    ...(later > 0
      ? [later === 1 ? t('One later turn is set aside.') : t('{0} later turns are set aside.', later)]
      : []),
    t('What you accepted stays accepted, and your own folder is not touched.'),
    t('Everything as it is now is saved first: Undo Restore brings it back.'),
  ];
  return sentences.join('\n\n');
}

/** Whether a restore has to stop a turn, or wait for one to be saved. */
export function isAtWork({ phase }: SessionState): boolean {
  return phase.kind === 'working' || phase.kind === 'stopping' || phase.kind === 'checkpointing';
}

function endOf(turn: number): string {
  const name = told(turnName(turn));
  return turn === 0 ? name : t('the end of {0}', name);
}

function promptOf({ items }: SessionState, messageIds: readonly string[]): string {
  const message = items.find(item => item.kind === 'message' && messageIds.includes(item.id));
  const text = message?.kind === 'message' ? message.text : '';
  const line = text.split('\n').find(part => part.trim() !== '') ?? '';
  return line.length <= 100 ? line : `${line.slice(0, 99)}…`;
}
