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
  'sandpiper.openPlan',
  'sandpiper.showLineOrigin',
  'sandpiper.showInChat',
] as const;

/** What can be done with the list of sessions and its rows. */
export const LIST_COMMANDS = [
  'sandpiper.moveSession',
  'sandpiper.pinSession',
  'sandpiper.unpinSession',
  'sandpiper.tagSession',
  'sandpiper.filterSessions',
  'sandpiper.clearFilter',
  'sandpiper.showOlderSessions',
  'sandpiper.showSessions',
  'sandpiper.showAway',
  'sandpiper.editRules',
  'sandpiper.importSession',
  'sandpiper.openSample',
  'sandpiper.runDoctor',
  'sandpiper.allowApproval',
  'sandpiper.denyApproval',
] as const;

/** What can be done with specs. */
export const SPEC_COMMANDS = [
  'sandpiper.newSpec',
  'sandpiper.importSpec',
  'sandpiper.startSpecChat',
  'sandpiper.extractSpec',
  'sandpiper.openSpec',
  'sandpiper.buildSpec',
  'sandpiper.checkSpec',
  'sandpiper.duplicateSpec',
  'sandpiper.copySpec',
  'sandpiper.downloadSpec',
  'sandpiper.showSpecHistory',
  'sandpiper.removeSpec',
  'sandpiper.refreshSpecs',
] as const;
export type SpecCommandId = (typeof SPEC_COMMANDS)[number];

export const COMMANDS = [
  'sandpiper.newSession',
  'sandpiper.openSession',
  'sandpiper.openSessionInEditor',
  'sandpiper.openSessionInNewWindow',
  'sandpiper.sendMessage',
  'sandpiper.stopTurn',
  'sandpiper.answerApproval',
  'sandpiper.retrySession',
  'sandpiper.openChanges',
  'sandpiper.restoreTurn',
  'sandpiper.undoRestore',
  'sandpiper.branchSession',
  'sandpiper.manageNetwork',
  'sandpiper.compareTurns',
  'sandpiper.openTurnFiles',
  'sandpiper.acceptAllChanges',
  'sandpiper.acceptHunk',
  'sandpiper.rejectHunk',
  'sandpiper.rejectWithReason',
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
  'sandpiper.updateFromBase',
  'sandpiper.fixChecks',
  'sandpiper.addressReview',
  'sandpiper.checkPolicy',
  'sandpiper.applyToWorkspace',
  'sandpiper.undoApply',
  'sandpiper.resolveConflicts',
  'sandpiper.completeMerge',
  'sandpiper.acceptAppliedChange',
  'sandpiper.rejectAppliedChange',
  'sandpiper.checkOutBranch',
  'sandpiper.copyPatch',
  'sandpiper.renameSession',
  'sandpiper.archiveSession',
  'sandpiper.restoreSession',
  'sandpiper.deleteSession',
  'sandpiper.restoreDeletedSession',
  'sandpiper.copySessionId',
  'sandpiper.exportSession',
  'sandpiper.searchSessions',
  'sandpiper.copySessionLink',
  'sandpiper.refreshSessions',
  'sandpiper.setModelKey',
  'sandpiper.connectRelay',
  'sandpiper.useEmbeddedRelay',
  'sandpiper.reconnectRelay',
  'sandpiper.restartRelay',
  'sandpiper.showLog',
  'sandpiper.openInBrowser',
  ...COMMENT_COMMANDS,
  ...LIST_COMMANDS,
  ...SPEC_COMMANDS,
] as const;
export type CommandId = (typeof COMMANDS)[number];

export const VIEWS = {
  sessions: 'sandpiper.sessions',
  changes: 'sandpiper.changes',
  specs: 'sandpiper.specs',
  chat: 'sandpiper.chat',
} as const;
/** The type of the editors that show a session. */
export const CHAT_EDITOR = 'sandpiper.chatEditor';
export const VIEW_CONTAINERS = { activityBar: 'sandpiper', secondarySideBar: 'sandpiperChat' } as const;

/** Scheme of the documents that show a session's files. */
export const SCHEME = 'sandpiper';

/** Scheme of the files of one checkpoint. */
export const TREE_SCHEME = 'sandpiper-tree';

/** Scheme of the plans that agents ask about. */
export const PLAN_SCHEME = 'sandpiper-plan';

/** Scheme of specs. */
export const SPEC_SCHEME = 'sandpiper-spec';

/** What the editor's own agents may use, in the order start and look. */
export const LANGUAGE_MODEL_TOOLS = ['sandpiper_startSession', 'sandpiper_getSession'] as const;
export const CHAT_PARTICIPANT = 'sandpiper.agent';
/** The provider of the relay's MCP server. */
export const MCP_SERVERS = 'sandpiper.relay';

export const STATUS_ITEM = 'sandpiper.status';
export const REVIEW_STATUS_ITEM = 'sandpiper.review';

/** Keys for `when` clauses; each is set by contextKeys.ts and nowhere else. */
export const CONTEXT_KEYS = {
  connection: 'sandpiper.connection',
  hasSessions: 'sandpiper.hasSessions',
  customRelay: 'sandpiper.customRelay',
  /** The list of sessions shows only some. */
  filtered: 'sandpiper.filtered',
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
  /** `auto`, or the id of a provider of the relay. */
  'session.provider': string;
  'session.includeUncommittedChanges': boolean;
  'session.budgetUsd': number;
  'review.blockLandingWhilePending': boolean;
  'pullRequest.draft': boolean;
  'pullRequest.baseBranch': string;
  'notifications.approvals': boolean;
  'notifications.turnFinished': boolean;
  'notifications.failures': boolean;
  'notifications.disconnected': boolean;
  'notifications.whileAway': boolean;
  'spec.maxTurns': number;
  'spec.templateFolder': string;
}
export type SettingName = keyof Settings;

export const SETTING_DEFAULTS: Settings = {
  'relay.url': '',
  'relay.dataFolder': '',
  'relay.startAutomatically': true,
  'agent.claudePath': '',
  'session.permissionMode': 'ask',
  'session.model': '',
  'session.provider': 'auto',
  'session.includeUncommittedChanges': false,
  'session.budgetUsd': 0,
  'review.blockLandingWhilePending': false,
  'pullRequest.draft': true,
  'pullRequest.baseBranch': '',
  'notifications.approvals': true,
  'notifications.turnFinished': true,
  'notifications.failures': true,
  'notifications.disconnected': true,
  'notifications.whileAway': true,
  'spec.maxTurns': 10,
  'spec.templateFolder': '',
};
