import * as vscode from 'vscode';
import type { CommandId } from '../manifest.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import type { UserErrors } from '../userErrors.ts';
import { sessionOfLink } from './sessionLinks.ts';
import { t } from '../../../protocol/text.ts';

const OPEN: CommandId = 'sandpiper.openSession';

/** Opens sessions by links such as `vscode://sandpiper.sandpiper/session/<id>`, after asking; a link does nothing else. */
export function registerLinkHandler(actions: SessionActions, errors: UserErrors): vscode.Disposable {
  return vscode.window.registerUriHandler({
    handleUri: uri =>
      openLink(uri, actions).catch(thrown => errors.show(thrown, { tag: 'sessions', doing: 'open the link' })),
  });
}

async function openLink(uri: vscode.Uri, actions: SessionActions): Promise<void> {
  const sessionId = sessionOfLink(uri);
  const { title, repository } = await actions.state(sessionId);
  const open = t('Open Session');
  const chosen = await vscode.window.showInformationMessage(
    t('Open the session “{0}”?', title),
    { modal: true, detail: t('A link asks for it. It works on {0}.', repository.name) },
    open,
  );
  if (chosen === open) {
    await vscode.commands.executeCommand(OPEN, sessionId);
  }
}
