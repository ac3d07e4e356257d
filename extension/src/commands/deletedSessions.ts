import * as vscode from 'vscode';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { ChatView } from '../chat/chatView.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';

interface Dependencies {
  actions: SessionActions;
  chat: ChatView;
  store: SessionStore;
}

const DELETE = 'Delete';
const DELETE_ANYWAY = 'Delete Anyway';
const UNDO = 'Undo';

/** Asks, deletes, and offers to take it back. */
export async function deleteSession(deps: Dependencies, sessionId: string): Promise<void> {
  const title = deps.store.get(sessionId)?.title ?? sessionId;
  const chosen = await vscode.window.showWarningMessage(
    `Delete the session "${title}"?`,
    {
      modal: true,
      detail:
        'Its agent is ended and its sandbox removed. What it holds (messages, commits, and the files that are not committed) is archived for 30 days: "Sandpiper: Restore Deleted Session…" brings it back. Pull requests and your own repository stay as they are.',
    },
    DELETE,
  );
  if (chosen === DELETE) {
    await deleteNow(deps, sessionId, title);
  }
}

async function deleteNow(deps: Dependencies, sessionId: string, title: string): Promise<void> {
  const deleted = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: `Deleting "${title}"` },
    () => deleteOrAsk(deps, sessionId),
  );
  if (!deleted) {
    return;
  }
  const until = new Date(deleted.restorableUntil).toLocaleDateString();
  const missing = deleted.missing.length > 0 ? ` Not saved: ${deleted.missing.join(' ')}` : '';
  // The command is over; its notification may stand for long.
  void vscode.window
    .showInformationMessage(`"${title}" is deleted. It can be restored until ${until}.${missing}`, UNDO)
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
      'What is in the sandbox cannot be saved.',
      { modal: true, detail: `${error.message}\n\nMessages and checkpoints are kept for the restore also then.` },
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
    throw new SandpiperError('not_found', 'There is no deleted session to restore.');
  }
  const chosen = await vscode.window.showQuickPick(
    sessions.map(({ summary, deletedAt, restorableUntil }) => ({
      label: summary.title,
      description: summary.repository.name,
      detail: `Deleted ${new Date(deletedAt).toLocaleString()}, restorable until ${new Date(restorableUntil).toLocaleDateString()}`,
      sessionId: summary.id,
    })),
    { title: 'Sandpiper', placeHolder: 'Session to restore', matchOnDescription: true },
  );
  return chosen?.sessionId;
}
