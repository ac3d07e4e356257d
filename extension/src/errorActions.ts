import type { ErrorCode, SandpiperError } from '../../protocol/errors.ts';
import { t } from '../../protocol/text.ts';

/** A button on an error, and what it does. */
export type ErrorAction =
  | 'setModelKey'
  | 'connectRelay'
  | 'restartRelay'
  | 'retry'
  | 'showLog'
  | 'openChanges'
  | 'openBlockSetting'
  | 'checkPolicy'
  | 'copyInstall';

export const ACTION_TITLES: Record<ErrorAction, string> = {
  setModelKey: t('Set API Key…'),
  connectRelay: t('Connect to Relay…'),
  restartRelay: t('Restart Relay'),
  retry: t('Retry'),
  showLog: t('Show Log'),
  openChanges: t('Open Changes'),
  openBlockSetting: t('Open Setting'),
  checkPolicy: t('Show Rules'),
  copyInstall: t('Copy Install Command'),
};

/** The codes whose way out is something the user does here; all others get only the log. */
const ACTIONS: Partial<Record<ErrorCode, ErrorAction[]>> = {
  model_key_missing: ['setModelKey'],
  model_key_rejected: ['setModelKey', 'retry'],
  unauthorized: ['connectRelay', 'showLog'],
  version_mismatch: ['restartRelay', 'connectRelay'],
  unavailable: ['retry', 'showLog'],
  timeout: ['retry', 'showLog'],
  disconnected: ['retry', 'showLog'],
  stale: ['openChanges'],
  review_pending: ['openChanges', 'openBlockSetting'],
  policy_refused: ['checkPolicy', 'openChanges'],
  agent_missing: ['copyInstall', 'retry'],
  agent_too_old: ['copyInstall', 'retry'],
  sandbox_unavailable: ['copyInstall', 'retry'],
  internal: ['showLog'],
  git_failed: ['showLog'],
  agent_failed: ['retry', 'showLog'],
  disk_full: ['retry'],
  repository_unreachable: ['retry'],
  forge_unreachable: ['retry'],
  // What reads like an answer needs no button.
  conflict: [],
  nothing_to_land: [],
};

/** The buttons for an error, most useful first. `retry` is left out when the caller cannot repeat what failed. */
export function errorActions(code: ErrorCode, canRetry: boolean): ErrorAction[] {
  return (ACTIONS[code] ?? ['showLog']).filter(action => action !== 'retry' || canRetry);
}

const INSTALL_AGENT = 'npm install -g @anthropic-ai/claude-code';

/** The command that brings what is missing, for the clipboard; undefined where there is no single one. */
export function installCommand(code: ErrorCode, platform: string): string | undefined {
  switch (code) {
    case 'agent_missing':
    case 'agent_too_old':
      return INSTALL_AGENT;
    case 'sandbox_unavailable':
      return platform === 'linux' ? 'sudo apt-get install -y bubblewrap' : undefined;
    default:
      return undefined;
  }
}

/** As `installCommand`, where that is what the error is about: a container engine may be missing as well. */
export function installOf(
  error: Pick<SandpiperError, 'code' | 'message' | 'hint'>,
  platform: string,
): string | undefined {
  const { code, message, hint = '' } = error;
  const isOther = code === 'sandbox_unavailable' && !/bubblewrap/i.test(`${message} ${hint}`);
  return isOther ? undefined : installCommand(code, platform);
}
