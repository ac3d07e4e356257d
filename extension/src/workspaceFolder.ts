import * as vscode from 'vscode';
import { SandpiperError } from '../../protocol/errors.ts';
import { t } from '../../protocol/text.ts';

const MEMORY = 'sandpiper.folder';

/** Which open folder a new session works on. With several, the one of the active editor, until the user chooses. */
export class WorkspaceFolder {
  readonly #memory: vscode.Memento;

  constructor(memory: vscode.Memento) {
    this.#memory = memory;
  }

  get canChoose(): boolean {
    return localFolders().length > 1;
  }

  /**
   * @throws `forbidden` in a folder that the user does not trust, because git would obey its configuration;
   * `not_a_repository` with what to do when no folder on this machine is open
   */
  current(): vscode.WorkspaceFolder {
    if (!vscode.workspace.isTrusted) {
      throw new SandpiperError('forbidden', t('This folder is open in Restricted Mode.'), {
        hint: t('Trust it with "Workspaces: Manage Workspace Trust" to start a session on it.'),
      });
    }
    const folders = localFolders();
    const chosen = folders.find(folder => folder.uri.toString() === this.#memory.get<string>(MEMORY));
    const editor = vscode.window.activeTextEditor;
    const active = editor ? vscode.workspace.getWorkspaceFolder(editor.document.uri) : undefined;
    const folder = chosen ?? (active && folders.includes(active) ? active : undefined) ?? folders[0];
    if (folder) {
      return folder;
    }
    throw (vscode.workspace.workspaceFolders ?? []).length > 0
      ? new SandpiperError('not_a_repository', t('This folder is not on a disk that Sandpiper can read.'), {
          hint: t('Open the repository as a folder of this machine, of WSL, of a container or over SSH.'),
        })
      : new SandpiperError('not_a_repository', t('No folder is open.'), {
          hint: t('Open the folder of a git repository.'),
        });
  }

  async choose(): Promise<void> {
    const chosen = await vscode.window.showWorkspaceFolderPick({ placeHolder: t('Repository for the new session') });
    if (chosen) {
      await this.#memory.update(MEMORY, chosen.uri.toString());
    }
  }
}

function localFolders(): vscode.WorkspaceFolder[] {
  return (vscode.workspace.workspaceFolders ?? []).filter(folder => folder.uri.scheme === 'file');
}
