import * as vscode from 'vscode';
import type { RelayConnection } from '../relay/relayConnection.ts';
import type { NewSession } from '../sessions/newSession.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import type { UserErrors } from '../userErrors.ts';
import { registerChatParticipant } from './chatParticipant.ts';
import { registerLanguageModelTools } from './languageModelTools.ts';
import { registerLinkHandler } from './linkHandler.ts';
import { McpServers } from './mcpServers.ts';

export interface DoorParts {
  relay: RelayConnection;
  newSession: NewSession;
  actions: SessionActions;
  errors: UserErrors;
  extensionUri: vscode.Uri;
  version: string;
}

/** The ways into Sandpiper from the rest of the editor: its agents, its chat, and links. */
export function addNativeDoors(parts: DoorParts): vscode.Disposable {
  const { relay, newSession, actions, errors, extensionUri, version } = parts;
  return vscode.Disposable.from(
    new McpServers(relay, version),
    registerLanguageModelTools(relay, newSession),
    registerChatParticipant(relay, newSession, extensionUri),
    registerLinkHandler(actions, errors),
  );
}
