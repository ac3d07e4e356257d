import * as vscode from 'vscode';
import { t } from '../../../protocol/text.ts';
import type { ChatView } from '../chat/chatView.ts';
import type { RelayLink } from '../relay/relayLink.ts';

interface Dependencies {
  relay: RelayLink;
  chat: ChatView;
}

/** Shows the sample session, which is made when there is none, and offers the folder that its changes can be applied to. */
export async function openSample({ relay, chat }: Dependencies): Promise<void> {
  const { sessionId, folder } = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: t('Opening the sample session') },
    () => relay.call('session.sample', {}),
  );
  await chat.reveal(sessionId);
  await offerFolder(vscode.Uri.file(folder));
}

/** Not for a relay on another machine, whose folders are out of reach. */
async function offerFolder(folder: vscode.Uri): Promise<void> {
  const open = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const isHere = await vscode.workspace.fs.stat(folder).then(
    () => true,
    () => false,
  );
  if (!isHere || open.includes(folder.fsPath)) {
    return;
  }
  const button = t('Open Folder');
  const chosen = await vscode.window.showInformationMessage(
    t('The sample has a repository of its own. Open its folder to apply the changes.'),
    button,
  );
  if (chosen === button) {
    await vscode.commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: open.length > 0 });
  }
}
