import * as vscode from 'vscode';
import { hasCommit, openUserFolder, type UserFolder } from '../../../landing/userFolder.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { t } from '../../../protocol/text.ts';

/** The repositories of the folders that are open here. */
export async function openFolders(): Promise<UserFolder[]> {
  if (!vscode.workspace.isTrusted) {
    throw new SandpiperError('forbidden', t('This folder is open in Restricted Mode.'), {
      hint: t('Trust it with "Workspaces: Manage Workspace Trust" to change its files.'),
    });
  }
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  const found = new Map<string, UserFolder>();
  for (const { uri } of folders) {
    try {
      const user = await openUserFolder(uri.fsPath, process.env);
      found.set(user.root, user);
    } catch (thrown) {
      if (toSandpiperError(thrown).code !== 'not_a_repository') {
        throw thrown;
      }
    }
  }
  return [...found.values()];
}

/** The open repository that a session began from. @throws `not_found` when none has its commit */
export async function folderWith(upstream: string): Promise<UserFolder> {
  for (const folder of await openFolders()) {
    if (await hasCommit(folder, upstream)) {
      return folder;
    }
  }
  throw new SandpiperError(
    'not_found',
    t('No open folder has the commit {0} that the session started from.', upstream.slice(0, 12)),
    { hint: t('Open the folder of the same repository, or fetch that commit into it with git.') },
  );
}
