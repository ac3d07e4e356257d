import type { PermissionMode } from '../../protocol/events.ts';

/*
 * Every id that package.json and the code share, typed. A unit test compares both ways, so an id that stands in only one
 * place fails the build. No `vscode` here: the test runs without an editor.
 */

/** What can be done with comments to the agent. */
export const COMMENT_COMMANDS = [
  'sandpiper.askAgent',
  'sandpiper.saveComment',
  'sandpiper.editComment',
  'sandpiper.saveCommentEdit',
  'sandpiper.cancelCommentEdit',
  'sandpiper.deleteComment',
  'sandpiper.resolveComment',
  'sandpiper.reopenComment',
  'sandpiper.submitReview',
  'sandpiper.showLineOrigin',
  'sandpiper.showInChat',
] as const;

export const COMMANDS = [
  'sandpiper.newSession',
  'sandpiper.openSession',
  'sandpiper.sendMessage',
  'sandpiper.stopTurn',
  'sandpiper.answerApproval',
  'sandpiper.retrySession',
  'sandpiper.openChanges',
  'sandpiper.restoreTurn',
  'sandpiper.undoRestore',
  'sandpiper.branchSession',
  'sandpiper.compareTurns',
  'sandpiper.openTurnFiles',
  'sandpiper.acceptAllChanges',
  'sandpiper.acceptHunk',
  'sandpiper.rejectHunk',
  'sandpiper.acceptFile',
  'sandpiper.rejectFile',
  'sandpiper.rejectAllChanges',
  'sandpiper.undoDecision',
  'sandpiper.nextHunk',
  'sandpiper.previousHunk',
  'sandpiper.keepMine',
  'sandpiper.takeTheirs',
  'sandpiper.compareConflict',
  'sandpiper.openFileChanges',
  'sandpiper.showChangesByFile',
  'sandpiper.showChangesByTurn',
  'sandpiper.showChangesByTool',
  'sandpiper.createPullRequest',
  'sandpiper.openPullRequest',
  'sandpiper.applyToWorkspace',
  'sandpiper.undoApply',
  'sandpiper.resolveConflicts',
  'sandpiper.completeMerge',
  'sandpiper.checkOutBranch',
  'sandpiper.copyPatch',
  'sandpiper.renameSession',
  'sandpiper.archiveSession',
  'sandpiper.restoreSession',
  'sandpiper.deleteSession',
  'sandpiper.restoreDeletedSession',
  'sandpiper.copySessionId',
  'sandpiper.refreshSessions',
  'sandpiper.setModelKey',
  'sandpiper.connectRelay',
  'sandpiper.useEmbeddedRelay',
  'sandpiper.reconnectRelay',
  'sandpiper.restartRelay',
  'sandpiper.showLog',
  'sandpiper.openInBrowser',
  ...COMMENT_COMMANDS,
] as const;
export type CommandId = (typeof COMMANDS)[number];

export const VIEWS = { sessions: 'sandpiper.sessions', changes: 'sandpiper.changes', chat: 'sandpiper.chat' } as const;
export const VIEW_CONTAINERS = { activityBar: 'sandpiper', secondarySideBar: 'sandpiperChat' } as const;

/** Scheme of the documents that show a session's files. */
export const SCHEME = 'sandpiper';

/** Scheme of the files of one checkpoint. */
export const TREE_SCHEME = 'sandpiper-tree';

export const STATUS_ITEM = 'sandpiper.status';
export const REVIEW_STATUS_ITEM = 'sandpiper.review';

/** Keys for `when` clauses; each is set by contextKeys.ts and nowhere else. */
export const CONTEXT_KEYS = {
  connection: 'sandpiper.connection',
  hasSessions: 'sandpiper.hasSessions',
  customRelay: 'sandpiper.customRelay',
  /** The active tab shows a session's changes. */
  reviewActive: 'sandpiper.reviewActive',
  /** The active tab merges a conflict of an apply. */
  mergeActive: 'sandpiper.mergeActive',
} as const;
export type ContextKey = keyof typeof CONTEXT_KEYS;

/** Where a secret lies in SecretStorage. */
export const SECRETS = {
  modelKey: 'sandpiper.modelKey',
  relayToken: 'sandpiper.relayToken',
  forgeToken: 'sandpiper.forgeToken',
} as const;

/** The settings with the type and default that package.json declares. */
export interface Settings {
  'relay.url': string;
  'relay.dataFolder': string;
  'relay.startAutomatically': boolean;
  'agent.claudePath': string;
  'session.permissionMode': PermissionMode;
  'session.model': string;
  'session.includeUncommittedChanges': boolean;
  'session.budgetUsd': number;
  'review.blockLandingWhilePending': boolean;
  'pullRequest.draft': boolean;
  'pullRequest.baseBranch': string;
  'notifications.approvals': boolean;
  'notifications.turnFinished': boolean;
  'notifications.failures': boolean;
}
export type SettingName = keyof Settings;

export const SETTING_DEFAULTS: Settings = {
  'relay.url': '',
  'relay.dataFolder': '',
  'relay.startAutomatically': true,
  'agent.claudePath': '',
  'session.permissionMode': 'ask',
  'session.model': '',
  'session.includeUncommittedChanges': false,
  'session.budgetUsd': 0,
  'review.blockLandingWhilePending': false,
  'pullRequest.draft': true,
  'pullRequest.baseBranch': '',
  'notifications.approvals': true,
  'notifications.turnFinished': true,
  'notifications.failures': true,
};
