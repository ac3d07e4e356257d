import * as vscode from 'vscode';
import { LineOrigins } from './blame/lineOrigins.ts';
import { ChatView } from './chat/chatView.ts';
import { Checkpoints, type CheckpointParts } from './checkpoints/checkpoints.ts';
import { TreeFileSystem } from './checkpoints/treeFileSystem.ts';
import { PickSession } from './commands/pickSession.ts';
import { ForgeSignIn } from './commands/forgeSignIn.ts';
import { PullRequests } from './commands/pullRequests.ts';
import { registerCommands } from './commands/registerCommands.ts';
import { createRelayCommands } from './commands/relayCommands.ts';
import { createReviewCommands } from './commands/reviewCommands.ts';
import { createSessionCommands } from './commands/sessionCommands.ts';
import { createCommentCommands } from './comments/commentCommands.ts';
import { CommentThreads } from './comments/commentThreads.ts';
import { SessionComments } from './comments/sessionComments.ts';
import { ContextKeys } from './contextKeys.ts';
import { DisposableStore } from './disposables.ts';
import type { LandingActions } from './landing/landingActions.ts';
import { Log } from './log.ts';
import { EmbeddedRelay } from './relay/embeddedRelay.ts';
import { ModelKey } from './relay/modelKey.ts';
import { Outbox } from './relay/outbox.ts';
import { RelayConnection } from './relay/relayConnection.ts';
import { RelayLog } from './relay/relayLog.ts';
import { ChangeDecorations } from './review/changeDecorations.ts';
import { ChangesTree } from './review/changesTree.ts';
import { PendingChanges } from './review/pendingChanges.ts';
import { PendingMarks } from './review/pendingMarks.ts';
import { Review } from './review/review.ts';
import { ReviewDecisions } from './review/reviewDecisions.ts';
import { ReviewLenses } from './review/reviewLenses.ts';
import { ReviewNavigation } from './review/reviewNavigation.ts';
import { ReviewStatus } from './review/reviewStatus.ts';
import { SandpiperFileSystem } from './review/sandpiperFileSystem.ts';
import { StaleWrites } from './review/staleWrites.ts';
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

interface ReviewParts {
  relay: RelayConnection;
  actions: SessionActions;
  store: SessionStore;
  errors: UserErrors;
  log: Log;
}

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
  const outbox = disposables.add(new Outbox(context.globalStorageUri.fsPath, relay, log));
  const actions = new SessionActions(relay, outbox);
  const folder = new WorkspaceFolder(context.workspaceState);
  const newSession = new NewSession(relay, folder);
  disposables.add(new SessionTree(relay, store));
  disposables.add(new StatusBar(relay, store));
  disposables.add(new ContextKeys(relay, store));

  const { pending, navigation, decisions, review } = createReview(disposables, { relay, actions, store, errors, log });
  const pullRequests = new PullRequests(relay, actions, new ForgeSignIn(context.secrets, log));

  const checkpoints = addCheckpoints(disposables, { relay, actions, store, chat: () => chat });

  let landingActions: Promise<LandingActions> | undefined;
  // Its schemas are read with the first use, as those of the chat.
  const landing = (): Promise<LandingActions> =>
    (landingActions ??= import('./landing/landingActions.ts').then(loaded =>
      disposables.add(new loaded.LandingActions(relay, actions, context.globalStorageUri.fsPath)),
    ));

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
      const handlers = {
        view: chat,
        actions,
        checkpoints,
        newSession,
        folder,
        review,
        decisions,
        pullRequests,
        modelKey,
        relay,
        relayLog,
        outbox,
      };
      return new PageChannel(createChatHandlers(handlers), log);
    },
  });
  disposables.add(chat);
  const tree = disposables.add(new ChangesTree(relay, store, pending, chat, context.workspaceState));
  disposables.add(new ReviewStatus(store, tree));
  disposables.add(new Attention(store, actions, chat, errors));

  const pick = new PickSession(relay, store, chat);
  const comments = disposables.add(new SessionComments(relay, store, log));
  const threads = disposables.add(new CommentThreads(comments));
  disposables.add(new LineOrigins(relay, log));
  disposables.add(
    registerCommands(
      {
        ...createSessionCommands({
          actions,
          chat,
          checkpoints,
          newSession,
          outbox,
          pick,
          pullRequests,
          review,
          decisions,
          landing,
          store,
        }),
        ...createReviewCommands({ review, decisions, navigation, tree }),
        ...createCommentCommands({ relay, comments, threads, chat, pick }),
        ...createRelayCommands({ relay, modelKey, relayLog, secrets: context.secrets }),
      },
      errors,
    ),
  );
  disposables.add(connectWhenThereIsNews(context.globalState, relay, store));
  return disposables;
}

/** What shows a review and decides on it. */
function createReview(disposables: DisposableStore, parts: ReviewParts) {
  const { relay, actions, store, errors, log } = parts;
  const pending = disposables.add(new PendingChanges(relay, store, log));
  const files = disposables.add(new SandpiperFileSystem(relay, pending));
  disposables.add(new ReviewLenses(pending, files));
  const navigation = new ReviewNavigation(pending);
  const decisions = new ReviewDecisions(relay, pending, navigation);
  const review = new Review(relay, actions, pending, decisions);
  disposables.add(new StaleWrites(files, errors));
  disposables.add(new ChangeDecorations(pending));
  disposables.add(new PendingMarks(pending));
  return { pending, navigation, decisions, review };
}

/** The chat is asked for when it is needed: it is made later. */
function addCheckpoints(
  disposables: DisposableStore,
  { relay, actions, store, chat }: Omit<CheckpointParts, 'reveal' | 'visible'> & { chat: () => ChatView },
): Checkpoints {
  disposables.add(new TreeFileSystem(relay));
  return new Checkpoints({
    relay,
    actions,
    store,
    reveal: sessionId => chat().reveal(sessionId),
    visible: () => chat().visibleSessionId(),
  });
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
