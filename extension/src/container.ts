import * as vscode from 'vscode';
import { ChatView } from './chat/chatView.ts';
import { PickSession } from './commands/pickSession.ts';
import { ForgeSignIn } from './commands/forgeSignIn.ts';
import { PullRequests } from './commands/pullRequests.ts';
import { registerCommands } from './commands/registerCommands.ts';
import { createRelayCommands } from './commands/relayCommands.ts';
import { createSessionCommands } from './commands/sessionCommands.ts';
import { ContextKeys } from './contextKeys.ts';
import { DisposableStore } from './disposables.ts';
import { Log } from './log.ts';
import { EmbeddedRelay } from './relay/embeddedRelay.ts';
import { ModelKey } from './relay/modelKey.ts';
import { Outbox } from './relay/outbox.ts';
import { RelayConnection } from './relay/relayConnection.ts';
import { RelayLog } from './relay/relayLog.ts';
import { Review } from './review/review.ts';
import { SandpiperFileSystem } from './review/sandpiperFileSystem.ts';
import { Attention } from './sessions/attention.ts';
import { NewSession } from './sessions/newSession.ts';
import { SessionActions } from './sessions/sessionActions.ts';
import { SessionStore } from './sessions/sessionStore.ts';
import { SessionTree } from './sessions/sessionTree.ts';
import { StatusBar } from './sessions/statusBar.ts';
import { readSetting } from './settings.ts';
import { UserErrors } from './userErrors.ts';
import { WorkspaceFolder } from './workspaceFolder.ts';

const HAD_SESSIONS = 'sandpiper.hadSessions';

/** Makes every part of the extension once and ties them together. What it returns lets go of all of them. */
export function createContainer(context: vscode.ExtensionContext): vscode.Disposable {
  const disposables = new DisposableStore();
  const log = disposables.add(new Log());
  const errors = new UserErrors(log);
  const { version } = readManifest(context.extension.packageJSON);

  const program = vscode.Uri.joinPath(context.extensionUri, 'dist', 'server', 'sandpiper.mjs').fsPath;
  const embedded = new EmbeddedRelay(program, version, log);
  const relay = disposables.add(new RelayConnection(embedded, context.secrets, version, log));
  const relayLog = new RelayLog(relay, embedded, log);
  const modelKey = new ModelKey(context.secrets, relay);

  const store = disposables.add(new SessionStore(relay, errors));
  const actions = new SessionActions(relay);
  const folder = new WorkspaceFolder(context.workspaceState);
  const newSession = new NewSession(relay, folder);
  disposables.add(new SessionTree(relay, store));
  disposables.add(new StatusBar(relay, store));
  disposables.add(new ContextKeys(relay, store));

  const files = disposables.add(new SandpiperFileSystem(relay, store));
  const review = new Review(relay, actions, files);
  const pullRequests = new PullRequests(relay, actions, new ForgeSignIn(context.secrets, log));

  const outbox = disposables.add(new Outbox(context.globalStorageUri.fsPath, relay, log));
  const chat: ChatView = new ChatView({
    outbox,
    extensionUri: context.extensionUri,
    memory: context.workspaceState,
    relay,
    store,
    newSession,
    log,
    // Loaded with the first message of a page: its schemas are the largest part of the bundle.
    channel: async () => {
      const [{ PageChannel }, { createChatHandlers }] = await Promise.all([
        import('./chat/pageChannel.ts'),
        import('./chat/chatHandlers.ts'),
      ]);
      const handlers = { view: chat, actions, newSession, folder, review, pullRequests, modelKey, relayLog, outbox };
      return new PageChannel(createChatHandlers(handlers), log);
    },
  });
  disposables.add(chat);
  disposables.add(new Attention(store, actions, chat, errors));

  const pick = new PickSession(relay, store, chat);
  disposables.add(
    registerCommands(
      {
        ...createSessionCommands({ actions, chat, newSession, outbox, pick, pullRequests, review, store }),
        ...createRelayCommands({ relay, modelKey, relayLog, secrets: context.secrets }),
      },
      errors,
    ),
  );
  disposables.add(connectWhenThereIsNews(context.globalState, relay, store));
  return disposables;
}

/** Somebody who has sessions wants to hear of them without opening a view first; nobody else pays for a relay. */
function connectWhenThereIsNews(
  memory: vscode.Memento,
  relay: RelayConnection,
  store: SessionStore,
): vscode.Disposable {
  if (memory.get<boolean>(HAD_SESSIONS) === true || readSetting('relay.url') !== '') {
    relay.connect();
  }
  return store.onDidChange(() => {
    const hasSessions = store.summaries.some(summary => !summary.archived);
    if (store.loaded && hasSessions !== (memory.get<boolean>(HAD_SESSIONS) === true)) {
      void memory.update(HAD_SESSIONS, hasSessions);
    }
  });
}

function readManifest(manifest: unknown): { version: string } {
  return typeof manifest === 'object' &&
    manifest !== null &&
    'version' in manifest &&
    typeof manifest.version === 'string'
    ? { version: manifest.version }
    : { version: 'unknown' };
}
