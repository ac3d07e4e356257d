import type { PermissionMode } from '../../protocol/events.ts';

/*
 * Every id that package.json and the code share, typed. A unit test compares both ways, so an id that stands in only one
 * place fails the build. No `vscode` here: the test runs without an editor.
 */

export const COMMANDS = [
  'sandpiper.newSession',
  'sandpiper.openSession',
  'sandpiper.sendMessage',
  'sandpiper.stopTurn',
  'sandpiper.answerApproval',
  'sandpiper.retrySession',
  'sandpiper.openChanges',
  'sandpiper.acceptAllChanges',
  'sandpiper.createPullRequest',
  'sandpiper.openPullRequest',
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
  'sandpiper.restartRelay',
  'sandpiper.showLog',
  'sandpiper.openInBrowser',
] as const;
export type CommandId = (typeof COMMANDS)[number];

export const VIEWS = { sessions: 'sandpiper.sessions', chat: 'sandpiper.chat' } as const;
export const VIEW_CONTAINERS = { activityBar: 'sandpiper', secondarySideBar: 'sandpiperChat' } as const;

/** Scheme of the documents that show a session's files. */
export const SCHEME = 'sandpiper';

export const STATUS_ITEM = 'sandpiper.status';

/** Keys for `when` clauses; each is set by contextKeys.ts and nowhere else. */
export const CONTEXT_KEYS = {
  connection: 'sandpiper.connection',
  hasSessions: 'sandpiper.hasSessions',
  customRelay: 'sandpiper.customRelay',
  /** The active tab shows a session's changes. */
  reviewActive: 'sandpiper.reviewActive',
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
  'pullRequest.draft': true,
  'pullRequest.baseBranch': '',
  'notifications.approvals': true,
  'notifications.turnFinished': true,
  'notifications.failures': true,
};
