import * as vscode from 'vscode';
import { isRecoverable } from '../../../protocol/activity.ts';
import { newId } from '../../../protocol/ids.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import type { ChatView } from '../chat/chatView.ts';
import type { Checkpoints } from '../checkpoints/checkpoints.ts';
import type { LandingActions } from '../landing/landingActions.ts';
import { linkToSession } from '../doors/sessionLinks.ts';
import type { Outbox } from '../relay/outbox.ts';
import type { Review } from '../review/review.ts';
import type { ReviewDecisions } from '../review/reviewDecisions.ts';
import type { NewSession } from '../sessions/newSession.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import type { COMMENT_COMMANDS, LIST_COMMANDS, SpecCommandId } from '../manifest.ts';
import { readSetting } from '../settings.ts';
import { answerApproval, askOf } from './answerApproval.ts';
import { exportToFile } from './exportToFile.ts';
import { searchSessions } from './searchSessions.ts';
import { deleteSession, restoreDeletedSession } from './deletedSessions.ts';
import { manageNetwork } from './networkAccess.ts';
import type { PickSession, SessionQuestion } from './pickSession.ts';
import type { PullRequests } from './pullRequests.ts';
import type { CommandHandler, CommandHandlers } from './registerCommands.ts';
import type { createReviewCommands } from './reviewCommands.ts';
import { isTendable, openQuestions } from '../sessions/sessionGroups.ts';
import { t } from '../../../protocol/text.ts';

export interface SessionCommandDependencies {
  actions: SessionActions;
  chat: ChatView;
  checkpoints: Checkpoints;
  newSession: NewSession;
  outbox: Outbox;
  pick: PickSession;
  pullRequests: PullRequests;
  /** Loaded when it is first needed. */
  landing: () => Promise<LandingActions>;
  review: Review;
  decisions: ReviewDecisions;
  store: SessionStore;
}

const isOpen = (summary: SessionSummary): boolean => !summary.archived;
const isRunning = ({ phase }: SessionSummary): boolean => ['preparing', 'working', 'stopping'].includes(phase);

const NO_SESSION = t('There is no session yet.');

const QUESTIONS = {
  open: { placeHolder: t('Session to open'), fits: () => true, none: NO_SESSION, takeVisible: false },
  show: { placeHolder: t('Session to open'), fits: () => true, none: NO_SESSION },
  send: { placeHolder: t('Session to send a message to'), fits: isOpen, none: NO_SESSION },
  stop: {
    placeHolder: t('Session to stop'),
    fits: summary => isRunning(summary) || summary.doing?.kind === 'moving',
    none: t('No session is running.'),
  },
  answer: {
    placeHolder: t('Session to answer'),
    fits: summary => openQuestions(summary) > 0,
    none: t('No session waits for an answer.'),
  },
  retry: {
    placeHolder: t('Session to recover'),
    fits: summary => !summary.archived && (isRecoverable(summary) || isRunning(summary)),
    none: t('No session is stuck, blocked or cut off.'),
  },
  look: {
    placeHolder: t('Session whose changes to open'),
    fits: summary => summary.pending || summary.stats.files > 0,
    none: t('No session has changes yet.'),
  },
  turns: { placeHolder: t('Session to go back in'), fits: isOpen, none: NO_SESSION },
  undo: { placeHolder: t('Session whose restore to take back'), fits: isOpen, none: NO_SESSION },
  network: { placeHolder: t('Session whose network access to change'), fits: isOpen, none: NO_SESSION },
  branch: { placeHolder: t('Session to branch'), fits: () => true, none: NO_SESSION },
  compare: { placeHolder: t('Session to compare a turn of'), fits: () => true, none: NO_SESSION },
  files: { placeHolder: t('Session whose files to open'), fits: () => true, none: NO_SESSION },
  accept: {
    placeHolder: t('Session whose changes to accept'),
    fits: summary => summary.pending,
    none: t('No session has changes to accept.'),
  },
  land: {
    placeHolder: t('Session to create a pull request from'),
    fits: summary => isOpen(summary) && summary.stats.files > 0,
    none: t('No session has changes yet.'),
  },
  policy: {
    placeHolder: t('Session whose changes to check'),
    fits: summary => summary.stats.files > 0,
    none: t('No session has changes yet.'),
  },
  apply: {
    placeHolder: t('Session whose changes to apply to your files'),
    fits: summary => summary.stats.files > 0,
    none: t('No session has changes yet.'),
  },
  checkOut: {
    placeHolder: t('Session whose changes to check out as a branch'),
    fits: summary => summary.stats.files > 0,
    none: t('No session has changes yet.'),
  },
  copyPatch: {
    placeHolder: t('Session whose changes to copy as a patch'),
    fits: summary => summary.stats.files > 0,
    none: t('No session has changes yet.'),
  },
  landed: {
    placeHolder: t('Session whose pull request to open'),
    fits: summary => summary.pullRequest !== undefined,
    none: t('No session has a pull request yet.'),
  },
  tend: {
    placeHolder: t('Session whose pull request to tend'),
    fits: isTendable,
    none: t('No session has an open pull request.'),
  },
  export: { placeHolder: t('Session to export'), fits: () => true, none: NO_SESSION },
  rename: { placeHolder: t('Session to rename'), fits: () => true, none: NO_SESSION },
  archive: { placeHolder: t('Session to archive'), fits: isOpen, none: t('There is no session to archive.') },
  restore: {
    placeHolder: t('Session to bring back'),
    fits: summary => summary.archived,
    none: t('No session is archived.'),
    takeVisible: false,
  },
  delete: { placeHolder: t('Session to delete'), fits: () => true, none: NO_SESSION },
  copy: { placeHolder: t('Session whose id to copy'), fits: () => true, none: NO_SESSION },
} satisfies Record<string, SessionQuestion>;

type SessionCommands = Omit<
  CommandHandlers,
  | (typeof COMMENT_COMMANDS)[number]
  | (typeof LIST_COMMANDS)[number]
  | SpecCommandId
  | 'sandpiper.setModelKey'
  | 'sandpiper.connectRelay'
  | 'sandpiper.useEmbeddedRelay'
  | 'sandpiper.reconnectRelay'
  | 'sandpiper.restartRelay'
  | 'sandpiper.showLog'
  | 'sandpiper.openInBrowser'
  | keyof ReturnType<typeof createReviewCommands>
>;

/** The commands that are about sessions. Each takes a session as argument, or asks for one. */
export function createSessionCommands(deps: SessionCommandDependencies): SessionCommands {
  const { actions, chat, checkpoints, review, decisions, pullRequests, store } = deps;
  const forSession =
    (question: SessionQuestion, act: (sessionId: string) => PromiseLike<unknown>): CommandHandler =>
    async argument => {
      const sessionId = await deps.pick.pick(argument, question);
      if (sessionId !== undefined) {
        await act(sessionId);
      }
    };
  return {
    'sandpiper.newSession': argument => newSession(deps, argument),
    'sandpiper.openSession': forSession(QUESTIONS.open, sessionId => chat.reveal(sessionId)),
    'sandpiper.openSessionInEditor': forSession(QUESTIONS.show, async sessionId => chat.editors.open(sessionId)),
    'sandpiper.openSessionInNewWindow': forSession(QUESTIONS.show, sessionId =>
      chat.editors.openInNewWindow(sessionId),
    ),
    'sandpiper.sendMessage': forSession(QUESTIONS.send, sessionId => sendMessage(deps, sessionId)),
    'sandpiper.stopTurn': forSession(QUESTIONS.stop, sessionId => actions.stop(sessionId)),
    'sandpiper.answerApproval': async argument => {
      const sessionId = await deps.pick.pick(argument, QUESTIONS.answer);
      await (sessionId === undefined ? undefined : answerApproval(actions, chat, sessionId, askOf(argument)?.ask.id));
    },
    'sandpiper.retrySession': forSession(QUESTIONS.retry, sessionId => actions.retry(sessionId)),
    'sandpiper.openChanges': forSession(QUESTIONS.look, sessionId => review.openChanges(sessionId)),
    'sandpiper.restoreTurn': forSession(QUESTIONS.turns, sessionId => checkpoints.restore(sessionId)),
    'sandpiper.undoRestore': forSession(QUESTIONS.undo, sessionId => checkpoints.undoRestore(sessionId)),
    'sandpiper.manageNetwork': forSession(QUESTIONS.network, async sessionId =>
      manageNetwork(actions, sessionId, store.get(sessionId)?.title ?? sessionId),
    ),
    'sandpiper.branchSession': forSession(QUESTIONS.branch, sessionId => checkpoints.branch(sessionId)),
    'sandpiper.compareTurns': forSession(QUESTIONS.compare, sessionId => checkpoints.compare(sessionId)),
    'sandpiper.openTurnFiles': forSession(QUESTIONS.files, sessionId => checkpoints.openFiles(sessionId)),
    'sandpiper.acceptAllChanges': forSession(QUESTIONS.accept, sessionId => decisions.acceptAll(sessionId)),
    'sandpiper.createPullRequest': forSession(QUESTIONS.land, sessionId => pullRequests.create(sessionId)),
    'sandpiper.openPullRequest': forSession(QUESTIONS.landed, async sessionId => {
      const { pullRequest } = await actions.state(sessionId);
      await (pullRequest ? pullRequests.openInBrowser(pullRequest) : undefined);
    }),
    'sandpiper.updateFromBase': forSession(QUESTIONS.tend, sessionId => pullRequests.updateFromBase(sessionId)),
    'sandpiper.fixChecks': forSession(QUESTIONS.tend, sessionId => pullRequests.tend(sessionId, 'fixChecks')),
    'sandpiper.addressReview': forSession(QUESTIONS.tend, sessionId => pullRequests.tend(sessionId, 'addressReview')),
    'sandpiper.checkPolicy': forSession(QUESTIONS.policy, sessionId =>
      pullRequests.checkPolicy(sessionId, () => review.openChanges(sessionId)),
    ),
    'sandpiper.applyToWorkspace': forSession(QUESTIONS.apply, async sessionId =>
      (await deps.landing()).apply(sessionId),
    ),
    'sandpiper.checkOutBranch': forSession(QUESTIONS.checkOut, async sessionId =>
      (await deps.landing()).checkOut(sessionId),
    ),
    'sandpiper.copyPatch': forSession(QUESTIONS.copyPatch, async sessionId =>
      (await deps.landing()).copyPatch(sessionId),
    ),
    'sandpiper.undoApply': async () => (await deps.landing()).undo(),
    'sandpiper.acceptAppliedChange': async (argument, changes, index) =>
      (await deps.landing()).review.decide('accept', argument, changes, index),
    'sandpiper.rejectAppliedChange': async (argument, changes, index) =>
      (await deps.landing()).review.decide('reject', argument, changes, index),
    'sandpiper.completeMerge': async () => (await deps.landing()).completeMerge(),
    'sandpiper.resolveConflicts': async () => (await deps.landing()).resolveConflicts(),
    'sandpiper.renameSession': forSession(QUESTIONS.rename, sessionId => renameSession(deps, sessionId)),
    'sandpiper.archiveSession': forSession(QUESTIONS.archive, sessionId => actions.archive(sessionId, true)),
    'sandpiper.restoreSession': forSession(QUESTIONS.restore, sessionId => actions.archive(sessionId, false)),
    'sandpiper.deleteSession': forSession(QUESTIONS.delete, sessionId => deleteSession(deps, sessionId)),
    'sandpiper.restoreDeletedSession': argument => restoreDeletedSession(deps, argument),
    'sandpiper.copySessionId': forSession(QUESTIONS.copy, sessionId => vscode.env.clipboard.writeText(sessionId)),
    'sandpiper.exportSession': forSession(QUESTIONS.export, sessionId => exportToFile(actions, sessionId)),
    'sandpiper.searchSessions': () => searchSessions(actions, chat),
    'sandpiper.copySessionLink': forSession(QUESTIONS.copy, sessionId =>
      vscode.env.clipboard.writeText(linkToSession(vscode.env.uriScheme, sessionId)),
    ),
    'sandpiper.refreshSessions': () => store.refresh(),
  };
}

/** Opens the composer; with `{ prompt }`, as a keybinding or another extension may pass, starts at once. */
async function newSession(
  { chat, newSession: sessions }: SessionCommandDependencies,
  argument: unknown,
): Promise<void> {
  const prompt =
    typeof argument === 'object' && argument !== null && 'prompt' in argument ? argument.prompt : undefined;
  if (typeof prompt !== 'string' || prompt.trim() === '') {
    await chat.reveal(undefined, {});
    return;
  }
  const model = readSetting('session.model');
  const started = await sessions.start({
    prompt,
    includeUncommitted: readSetting('session.includeUncommittedChanges'),
    permissionMode: readSetting('session.permissionMode'),
    ...(model === '' ? {} : { model }),
  });
  if (started) {
    await chat.reveal(started.sessionId);
  }
}

async function sendMessage({ outbox, store }: SessionCommandDependencies, sessionId: string): Promise<void> {
  const text = await vscode.window.showInputBox({
    title: store.get(sessionId)?.title ?? t('Send Message'),
    prompt: t('Handed to the agent when its turn ends, or at once when it is idle.'),
    ignoreFocusOut: true,
  });
  if (text !== undefined && text.trim() !== '') {
    await outbox.send(sessionId, { text }, newId('key'));
  }
}

async function renameSession({ actions, store }: SessionCommandDependencies, sessionId: string): Promise<void> {
  const title = await vscode.window.showInputBox({
    title: t('Rename Session'),
    value: store.get(sessionId)?.title ?? '',
    validateInput: value =>
      value.trim() === '' || value.length > 200 ? t('A title has between 1 and 200 characters.') : undefined,
  });
  if (title !== undefined) {
    await actions.rename(sessionId, title.trim());
  }
}
