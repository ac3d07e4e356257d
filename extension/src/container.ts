import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { FileHovers } from './blame/fileHovers.ts';
import { LineOrigins } from './blame/lineOrigins.ts';
import { ChatView } from './chat/chatView.ts';
import { Checkpoints, type CheckpointParts } from './checkpoints/checkpoints.ts';
import { TreeFileSystem } from './checkpoints/treeFileSystem.ts';
import { PickSession } from './commands/pickSession.ts';
import { ForgeSignIn } from './commands/forgeSignIn.ts';
import { PullRequests } from './commands/pullRequests.ts';
import { registerCommands } from './commands/registerCommands.ts';
import { ImportPreviews } from './commands/importSession.ts';
import { createListCommands } from './commands/listCommands.ts';
import { createRelayCommands } from './commands/relayCommands.ts';
import { createReviewCommands } from './commands/reviewCommands.ts';
import { createSessionCommands } from './commands/sessionCommands.ts';
import { createCommentCommands } from './comments/commentCommands.ts';
import { CommentThreads } from './comments/commentThreads.ts';
import { PlanDocuments } from './comments/planDocuments.ts';
import { SessionComments } from './comments/sessionComments.ts';
import { ContextKeys } from './contextKeys.ts';
import { DisposableStore } from './disposables.ts';
import { addNativeDoors } from './doors/nativeDoors.ts';
import { APPLIES } from './landing/appliesFolder.ts';
import type { LandingActions } from './landing/landingActions.ts';
import { Log } from './log.ts';
import { EmbeddedRelay } from './relay/embeddedRelay.ts';
import { ModelKey } from './relay/modelKey.ts';
import { Outbox } from './relay/outbox.ts';
import { RelayConnection } from './relay/relayConnection.ts';
import { RelayLog } from './relay/relayLog.ts';
import { ChangeDecorations } from './review/changeDecorations.ts';
import { ChangesTree } from './review/changesTree.ts';
import { NewFiles } from './review/newFiles.ts';
import { PendingChanges } from './review/pendingChanges.ts';
import { PendingMarks } from './review/pendingMarks.ts';
import { Review } from './review/review.ts';
import { ReviewDecisions } from './review/reviewDecisions.ts';
import { ReviewLenses } from './review/reviewLenses.ts';
import { ReviewNavigation } from './review/reviewNavigation.ts';
import { ReviewStatus } from './review/reviewStatus.ts';
import { SandpiperFileSystem } from './review/sandpiperFileSystem.ts';
import { StaleWrites } from './review/staleWrites.ts';
import { Attention, type Onlooker } from './sessions/attention.ts';
import { ListFilter } from './sessions/listFilter.ts';
import { LostRelay } from './sessions/lostRelay.ts';
import { NewSession } from './sessions/newSession.ts';
import { SessionActions } from './sessions/sessionActions.ts';
import { SessionStore } from './sessions/sessionStore.ts';
import { SessionTree } from './sessions/sessionTree.ts';
import { StatusBar } from './sessions/statusBar.ts';
import { WhileAway } from './sessions/whileAway.ts';
import { readSetting } from './settings.ts';
import { createSpecCommands, type SpecParts } from './specs/specCommands.ts';
import { Specs } from './specs/specs.ts';
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
  const { relay, relayLog, modelKey, version } = createRelay(disposables, context, log);

  const store = disposables.add(new SessionStore(relay, errors));
  const outbox = disposables.add(new Outbox(context.globalStorageUri.fsPath, relay, log));
  const actions = new SessionActions(relay, outbox);
  const folder = new WorkspaceFolder(context.workspaceState);
  const newSession = new NewSession(relay, folder);
  const filter = addList(disposables, { relay, store, memory: context.workspaceState });

  const { pending, navigation, decisions, review } = createReview(disposables, { relay, actions, store, errors, log });
  const pullRequests = new PullRequests(relay, actions, new ForgeSignIn(context.secrets, log));

  const checkpoints = addCheckpoints(disposables, { relay, actions, store, chat: () => chat });

  const storage = context.globalStorageUri.fsPath;
  const plans = disposables.add(new PlanDocuments(relay));
  let landingActions: Promise<LandingActions> | undefined;
  // Its schemas are read with the first use, as those of the chat.
  const landing = (): Promise<LandingActions> =>
    (landingActions ??= import('./landing/landingActions.ts').then(loaded =>
      disposables.add(new loaded.LandingActions({ relay, actions, store, pending, decisions, log, storage })),
    ));
  disposables.add(followApplied(join(storage, APPLIES), store, landing));

  const chat: ChatView = new ChatView({
    outbox,
    extensionUri: context.extensionUri,
    memory: context.workspaceState,
    relay,
    store,
    newSession,
    log,
    // Loaded with the first message of a page: its schemas are the largest part of the bundle.
    channel: async place => {
      const [{ PageChannel }, { createChatHandlers }] = await Promise.all([
        import('./chat/pageChannel.ts'),
        import('./chat/chatHandlers.ts'),
      ]);
      const handlers = {
        view: place,
        actions,
        checkpoints,
        newSession,
        folder,
        review,
        decisions,
        pullRequests,
        plans,
        landing,
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
  const away = addAttention(disposables, { relay, actions, store, errors, log }, chat, storage);

  disposables.add(addNativeDoors({ relay, newSession, actions, errors, extensionUri: context.extensionUri, version }));

  const pick = new PickSession(relay, store, chat);
  const said = addComments(disposables, { relay, store, log });
  const fileHovers = disposables.add(
    new FileHovers(
      async () => (await landing()).origins,
      () => landingActions !== undefined,
      log,
    ),
  );
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
        ...createListCommands({ relay, version, actions, store, filter, pick, chat, away }),
        ...createReviewCommands({ review, decisions, navigation, tree }),
        ...createCommentCommands({ relay, actions, plans, fileHovers, ...said, chat, pick }),
        ...addSpecs(disposables, { relay, store, errors, newSession, chat, pick }),
        ...createRelayCommands({ relay, modelKey, relayLog, secrets: context.secrets }),
      },
      errors,
    ),
  );
  disposables.add(connectWhenThereIsNews(context.globalState, relay, store));
  return disposables;
}

/** What lists the sessions. */
function addList(
  disposables: DisposableStore,
  { relay, store, memory }: Pick<ReviewParts, 'relay' | 'store'> & { memory: vscode.Memento },
): ListFilter {
  const filter = disposables.add(new ListFilter(memory));
  disposables.add(new SessionTree(relay, store, filter));
  disposables.add(new ImportPreviews(relay));
  disposables.add(new StatusBar(relay, store));
  disposables.add(new ContextKeys(relay, store, filter));
  return filter;
}

/** What calls the person. */
function addAttention(
  disposables: DisposableStore,
  { relay, actions, store, errors, log }: ReviewParts,
  onlooker: Onlooker,
  storage: string,
): WhileAway {
  disposables.add(new Attention({ relay, store, actions, onlooker, errors }));
  disposables.add(new LostRelay(relay, store, storage, log));
  return disposables.add(new WhileAway(relay, log));
}

/** The way to the relay, and what belongs to it. */
function createRelay(disposables: DisposableStore, context: vscode.ExtensionContext, log: Log) {
  const { version } = readManifest(context.extension.packageJSON);
  const program = vscode.Uri.joinPath(context.extensionUri, 'dist', 'server', 'sandpiper.mjs').fsPath;
  const embedded = new EmbeddedRelay(program, version, log);
  const relay = disposables.add(new RelayConnection(embedded, context.secrets, version, log));
  const relayLog = new RelayLog(relay, embedded, log);
  return { relay, relayLog, modelKey: new ModelKey(context.secrets, relay), version };
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
  disposables.add(new NewFiles(pending, review, navigation, errors));
  disposables.add(new StaleWrites(files, errors));
  disposables.add(new ChangeDecorations(pending));
  disposables.add(new PendingMarks(pending));
  return { pending, navigation, decisions, review };
}

/** What shows comments to the agent, and where lines come from. */
function addComments(
  disposables: DisposableStore,
  { relay, store, log }: Pick<ReviewParts, 'relay' | 'store' | 'log'>,
) {
  const comments = disposables.add(new SessionComments(relay, store, log));
  const threads = disposables.add(new CommentThreads(comments));
  disposables.add(new LineOrigins(relay, log));
  return { comments, threads };
}

/** What shows specs, and what is done with them. */
function addSpecs(
  disposables: DisposableStore,
  {
    errors,
    store,
    ...parts
  }: Pick<ReviewParts, 'relay' | 'store' | 'errors'> & Pick<SpecParts, 'newSession' | 'chat' | 'pick'>,
) {
  const { files, tree } = disposables.add(new Specs(parts.relay, store, errors));
  return createSpecCommands({ ...parts, files, tree });
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

/** Who applied changes here before sees in the files what of them is not decided, once the sessions are known. */
function followApplied(folder: string, store: SessionStore, landing: () => Promise<LandingActions>): vscode.Disposable {
  let known = false;
  return store.onDidChange(() => {
    if (known || !store.loaded || !existsSync(folder)) {
      return;
    }
    known = true;
    void landing().then(actions => actions.follow());
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
