import * as vscode from 'vscode';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { ChatView } from '../chat/chatView.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { date, dateTime, t } from '../../../protocol/text.ts';

interface Dependencies {
  actions: SessionActions;
  chat: ChatView;
  store: SessionStore;
}

const DELETE = t('Delete');
const DELETE_ANYWAY = t('Delete Anyway');
const UNDO = t('Undo');

/** Asks, deletes, and offers to take it back. */
export async function deleteSession(deps: Dependencies, sessionId: string): Promise<void> {
  const title = deps.store.get(sessionId)?.title ?? sessionId;
  const chosen = await vscode.window.showWarningMessage(
    t('Delete the session "{0}"?', title),
    {
      modal: true,
      detail: t(
        'Its agent is ended and its sandbox removed. What it holds (messages, commits, and the files that are not committed) is archived for 30 days: "Sandpiper: Restore Deleted Session…" brings it back. Pull requests and your own repository stay as they are.',
      ),
    },
    DELETE,
  );
  if (chosen === DELETE) {
    await deleteNow(deps, sessionId, title);
  }
}

async function deleteNow(deps: Dependencies, sessionId: string, title: string): Promise<void> {
  const deleted = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: t('Deleting "{0}"', title) },
    () => deleteOrAsk(deps, sessionId),
  );
  if (!deleted) {
    return;
  }
  const until = date(deleted.restorableUntil);
  const missing = deleted.missing.length > 0 ? ` ${t('Not saved: {0}', deleted.missing.join(' '))}` : '';
  // The command is over; its notification may stand for long.
  void vscode.window
    .showInformationMessage(`${t('"{0}" is deleted. It can be restored until {1}.', title, until)}${missing}`, UNDO)
    .then(async answer => {
      if (answer === UNDO) {
        await vscode.commands.executeCommand('sandpiper.restoreDeletedSession', sessionId);
      }
    });
}

/** What cannot be saved is deleted only when the person says so. */
async function deleteOrAsk(
  { actions }: Dependencies,
  sessionId: string,
): Promise<Awaited<ReturnType<SessionActions['delete']>> | undefined> {
  try {
    return await actions.delete(sessionId, false);
  } catch (thrown) {
    const error = toSandpiperError(thrown);
    if (!FORCEABLE.includes(error.code)) {
      throw error;
    }
    const chosen = await vscode.window.showWarningMessage(
      t('What is in the sandbox cannot be saved.'),
      { modal: true, detail: t('{0}\n\nMessages and checkpoints are kept for the restore also then.', error.message) },
      DELETE_ANYWAY,
    );
    return chosen === DELETE_ANYWAY ? actions.delete(sessionId, true) : undefined;
  }
}

const FORCEABLE: readonly string[] = ['git_failed', 'too_large', 'sandbox_unavailable'];

/** Brings back the session that the argument names, or one that the person chooses. */
export async function restoreDeletedSession({ actions, chat }: Dependencies, argument?: unknown): Promise<void> {
  const sessionId = typeof argument === 'string' ? argument : await pickDeleted(actions);
  if (sessionId !== undefined) {
    await actions.restore(sessionId);
    await chat.reveal(sessionId);
  }
}

async function pickDeleted(actions: SessionActions): Promise<string | undefined> {
  const { sessions } = await actions.listDeleted();
  if (sessions.length === 0) {
    throw new SandpiperError('not_found', t('There is no deleted session to restore.'));
  }
  const chosen = await vscode.window.showQuickPick(
    sessions.map(({ summary, deletedAt, restorableUntil }) => ({
      label: summary.title,
      description: summary.repository.name,
      detail: t('Deleted {0}, restorable until {1}', dateTime(deletedAt), date(restorableUntil)),
      sessionId: summary.id,
    })),
    { title: 'Sandpiper', placeHolder: t('Session to restore'), matchOnDescription: true },
  );
  return chosen?.sessionId;
}
