import { restoredParts, restoreToUndo, turnName } from '../../../protocol/checkpoints.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { Restore, SessionState } from '../../../protocol/session.ts';
import type { TurnAction } from '../../../protocol/webviewApi.ts';
import { ask, type Question } from '../state/dialogs.ts';
import type { RelayConnection } from './relayConnection.ts';
import type { SessionFollower } from './sessionFollower.ts';
import { t, told } from '../../../protocol/text.ts';

const saved = () => t('Everything as it is now is saved first, and can be brought back.');

/** What the menu of a turn does in a browser, each after a question. */
export async function turnAction(
  { relay, follower }: { relay: RelayConnection; follower: SessionFollower },
  state: SessionState,
  { turn, action }: { turn: number; action: TurnAction },
): Promise<Record<never, never>> {
  const { id: sessionId } = state;
  switch (action) {
    case 'restore':
      if (await agreed(restoreQuestion(turn))) {
        await relay.mutate('checkpoint.restore', { sessionId, turn, code: true, conversation: true });
      }
      return {};
    case 'undo': {
      const undone = restoreToUndo(state);
      if (await agreed(undoQuestion(undone))) {
        await relay.mutate('checkpoint.undo', { sessionId, ...(undone ? { restore: undone.seq } : {}) });
      }
      return {};
    }
    case 'branch': {
      const acceptNoIsolation = state.isolation === 'none';
      if (await agreed(branchQuestion(turn, acceptNoIsolation))) {
        const branched = await relay.mutate('checkpoint.branch', { sessionId, turn, acceptNoIsolation });
        await follower.open(branched.sessionId);
      }
      return {};
    }
    case 'compare':
    case 'openFiles':
      throw new SandpiperError('unavailable', t('A browser cannot show the files of a turn.'), {
        hint: t('Use VS Code.'),
      });
  }
}

async function agreed(question: Question): Promise<boolean> {
  return (await ask(question)) !== undefined;
}

function restoreQuestion(turn: number): Question {
  return {
    title: t('Restore code and conversation to {0}?', told(turnName(turn))),
    body: `${t('Every file in the sandbox becomes what it was then, and the agent forgets what came later. Later turns are set aside.')} ${saved()}`,
    confirm: t('Restore'),
  };
}

function undoQuestion(undone: Restore | undefined): Question {
  return {
    title: t('Take the restore back?'),
    body: `${undone ? t('The {0} of the session become what they were before it.', told(restoredParts(undone))) : t('All of the session become what they were before it.')} ${saved()}`,
    confirm: t('Undo Restore'),
  };
}

function branchQuestion(turn: number, isOpen: boolean): Question {
  const isolation = isOpen ? ` ${t('Its agent runs without isolation, as this one does.')}` : '';
  return {
    title: t('Branch from {0}?', told(turnName(turn))),
    body: `${t('A new session begins with the files and the conversation of then. This one goes on as it is.')}${isolation}`,
    confirm: t('Branch##action'),
  };
}
