import * as vscode from 'vscode';
import type { CallResult } from '../../../protocol/calls.ts';
import { restoredParts, restoreToUndo, turnName } from '../../../protocol/checkpoints.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { Restore, SessionState } from '../../../protocol/session.ts';
import { TREE_SCHEME } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import { askConsent } from '../sessions/newSession.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { askTree } from './askTree.ts';
import { toTreeParts } from './treeUri.ts';
import { isAtWork, partsChoices, restoreConsequences, turnChoices } from './turnChoices.ts';
import { t, told } from '../../../protocol/text.ts';

export interface CheckpointParts {
  relay: RelayLink;
  actions: SessionActions;
  store: SessionStore;
  /** Shows a session in the chat. */
  reveal(sessionId: string): Promise<void>;
  /** The session that the chat shows. */
  visible(): string | undefined;
}

/** What can be done with a turn that is over. Each asks for the turn when none is named, and before it changes anything. */
export class Checkpoints {
  readonly #parts: CheckpointParts;

  constructor(parts: CheckpointParts) {
    this.#parts = parts;
  }

  async restore(sessionId: string, named?: number): Promise<void> {
    const state = await this.#parts.actions.state(sessionId);
    const turn = named ?? (await askTurn(state, t('Turn to go back to')));
    if (turn === undefined) {
      return;
    }
    const parts = await vscode.window.showQuickPick(partsChoices(turn), {
      title: t('Restore {0}', told(turnName(turn))),
      placeHolder: t('What to restore'),
      ignoreFocusOut: true,
    });
    if (!parts) {
      return;
    }
    const confirm = isAtWork(state) ? t('Stop and Restore') : t('Restore');
    const chosen = await vscode.window.showWarningMessage(
      t('Restore {0} to {1}?', told(restoredParts(parts)), told(turnName(turn))),
      { modal: true, detail: restoreConsequences(state, turn, parts) },
      confirm,
    );
    if (chosen === confirm) {
      const { code, conversation } = parts;
      const call = { sessionId, turn, code, conversation, stop: isAtWork(state) };
      await this.#finish(sessionId, await this.#parts.relay.call('checkpoint.restore', call));
    }
  }

  /** @throws `stale` when there is nothing to take back */
  async undoRestore(sessionId: string): Promise<void> {
    const state = await this.#parts.actions.state(sessionId);
    const undone = restoreToUndo(state);
    const confirm = isAtWork(state) ? t('Stop and Undo') : t('Undo Restore');
    const chosen =
      undone &&
      (await vscode.window.showWarningMessage(
        t('Take back that {0} went back to {1}?', told(restoredParts(undone)), told(turnName(undone.turn))),
        { modal: true, detail: undoConsequences(state, undone) },
        confirm,
      ));
    if (!undone || chosen === confirm) {
      const call = { sessionId, stop: isAtWork(state), ...(undone ? { restore: undone.seq } : {}) };
      await this.#finish(sessionId, await this.#parts.relay.call('checkpoint.undo', call));
    }
  }

  async branch(sessionId: string, named?: number): Promise<void> {
    const state = await this.#parts.actions.state(sessionId);
    const turn = named ?? (await askTurn(state, t('Turn to branch from')));
    if (turn === undefined || (state.isolation === 'none' && !(await askConsent()))) {
      return;
    }
    const branched = await this.#parts.relay.call('checkpoint.branch', {
      sessionId,
      turn,
      acceptNoIsolation: state.isolation === 'none',
    });
    await this.#parts.reveal(branched.sessionId);
  }

  async compare(sessionId: string, named?: number): Promise<void> {
    const { relay, actions, store } = this.#parts;
    const state = await actions.state(sessionId);
    const turn = named ?? (await askTurn(state, t('Turn to compare')));
    const other = turn === undefined ? undefined : await askTree(state, turn, store.summaries);
    if (turn === undefined || !other) {
      return;
    }
    const tree = `turn:${turn}`;
    const changes = await relay.call('changes.list', {
      sessionId,
      ...(other.isEarlier ? { from: other.tree, to: tree } : { from: tree, to: other.tree }),
      ...(other.sessionId === undefined ? {} : { toSessionId: other.sessionId }),
    });
    const mine = turn === 0 ? t('Start') : t('Turn {0}', turn);
    const title = other.isEarlier ? `${other.label} ↔ ${mine}` : `${mine} ↔ ${other.label}`;
    await openComparison(sessionId, t('Sandpiper: {0}', title), changes);
  }

  /** Walks through the folders of a turn to the file to open. */
  async openFiles(sessionId: string, named?: number): Promise<void> {
    const turn = named ?? (await askTurn(await this.#parts.actions.state(sessionId), t('Turn whose files to open')));
    if (turn === undefined) {
      return;
    }
    for (let path = ''; ;) {
      const { commit, entries } = await this.#parts.relay.call('changes.folder', {
        sessionId,
        tree: `turn:${turn}`,
        path,
      });
      const chosen = await askEntry(turn, path, entries);
      if (!chosen) {
        return;
      }
      if (!chosen.isFolder) {
        const uri = vscode.Uri.from({ scheme: TREE_SCHEME, ...toTreeParts({ sessionId, commit, path: chosen.path }) });
        await vscode.commands.executeCommand(
          'vscode.open',
          uri,
          { preview: false },
          t('{0} (turn {1})', chosen.path, turn),
        );
        return;
      }
      path = chosen.path;
    }
  }

  /** Waits until it is done, and offers the way back. */
  async #finish(sessionId: string, { restore }: { restore: number }): Promise<void> {
    const state = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Window, title: t('Sandpiper: restoring') },
      () => this.#untilDone(sessionId, restore),
    );
    const done = state.restores?.find(({ seq }) => seq === restore);
    // The chat says it, with a button for the way back.
    if (done && this.#parts.visible() !== sessionId) {
      void this.#offerUndo(sessionId, done);
    }
  }

  async #offerUndo(sessionId: string, done: Restore): Promise<void> {
    const text =
      done.undoes === undefined
        ? t('Restored {0} to {1}.', told(restoredParts(done)), told(turnName(done.turn)))
        : t('The restore is taken back.');
    const actions = done.undoes === undefined ? [t('Undo Restore')] : [];
    if ((await vscode.window.showInformationMessage(text, ...actions)) !== undefined) {
      await vscode.commands.executeCommand('sandpiper.undoRestore', sessionId);
    }
  }

  #untilDone(sessionId: string, restore: number): Promise<SessionState> {
    return new Promise(resolve => {
      const following = this.#parts.relay.follow(sessionId, ({ state }) => {
        const isOver = state?.restoring?.seq !== restore || state.phase.kind === 'blocked';
        if (state && state.seq >= restore && isOver) {
          setImmediate(() => following.dispose());
          resolve(state);
        }
      });
    });
  }
}

function undoConsequences(state: SessionState, undone: Restore): string {
  const after = state.turns.filter(({ startedAt }) => startedAt > undone.since).length;
  return [
    undone.code && undone.conversation
      ? t('The files and the conversation become what they were right before that restore.')
      : undone.code
        ? t('The files become what they were right before that restore.')
        : t('The conversation become what they were right before that restore.'),
    ...(after > 0
      ? [after === 1 ? t('The turn since then is set aside.') : t('The {0} turns since then are set aside.', after)]
      : []),
    t('Everything as it is now is saved first.'),
  ].join('\n\n');
}

async function askTurn(state: SessionState, placeHolder: string): Promise<number | undefined> {
  const options = { title: state.title, placeHolder, matchOnDetail: true };
  return (await vscode.window.showQuickPick(turnChoices(state), options))?.turn;
}

interface EntryChoice extends vscode.QuickPickItem {
  path: string;
  isFolder: boolean;
}

async function askEntry(
  turn: number,
  path: string,
  entries: CallResult<'changes.folder'>['entries'],
): Promise<EntryChoice | undefined> {
  const inside = (name: string): string => (path === '' ? name : `${path}/${name}`);
  const toChoice = ({ name, kind }: (typeof entries)[number]): EntryChoice =>
    kind === 'folder'
      ? { label: `$(folder) ${name}`, path: inside(name), isFolder: true }
      : { label: `$(file) ${name}`, path: inside(name), isFolder: false };
  const files = entries.filter(({ kind }) => kind !== 'submodule').map(toChoice);
  const up: EntryChoice[] =
    path === ''
      ? []
      : [{ label: `$(arrow-up) ..`, path: path.slice(0, Math.max(0, path.lastIndexOf('/'))), isFolder: true }];
  return vscode.window.showQuickPick(
    [...up, ...files.filter(({ isFolder }) => isFolder), ...files.filter(({ isFolder }) => !isFolder)],
    {
      title: `${t('Files of {0}', told(turnName(turn)))}${path === '' ? '' : `: ${path}`}`,
      placeHolder: t('File to open, read-only'),
    },
  );
}

/** @throws `nothing_to_land` when the two are equal */
async function openComparison(sessionId: string, title: string, changes: CallResult<'changes.list'>): Promise<void> {
  const shown = changes.files.filter(({ binary }) => !binary);
  if (shown.length === 0) {
    throw new SandpiperError(
      'nothing_to_land',
      changes.files.length === 0 ? t('The two have the same files.') : t('Only binary files differ.'),
    );
  }
  const uri = (commit: string, path: string) =>
    vscode.Uri.from({ scheme: TREE_SCHEME, ...toTreeParts({ sessionId, commit, path }) });
  const resources = shown.map(
    ({ path, oldPath, status }): [vscode.Uri, vscode.Uri | undefined, vscode.Uri | undefined] => {
      const modified = uri(changes.toCommit, path);
      return [
        modified,
        status === 'added' ? undefined : uri(changes.fromCommit, oldPath ?? path),
        status === 'deleted' ? undefined : modified,
      ];
    },
  );
  await vscode.commands.executeCommand('vscode.changes', title, resources);
}
