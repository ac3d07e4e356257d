import * as vscode from 'vscode';
import { sensitiveReason } from '../../../protocol/pendingReview.ts';
import type { Pending, PendingFile } from './pendingChanges.ts';
import { count, t } from '../../../protocol/text.ts';

/* What a reviewer is asked before a decision that reaches further than what they see. */

const MAX_REASON = 2000;
const ACCEPT = t('Accept');
const LEAVE = t('Leave Pending');
const LEAVE_ALL = t('Leave All Sensitive Files');

/**
 * Asks about each sensitive file by itself, with the reason.
 * @returns the paths to accept; undefined when nothing is to be accepted at all
 */
export async function askSensitive(files: readonly PendingFile[]): Promise<string[] | undefined> {
  const sensitive = files.filter(file => file.sensitive !== undefined);
  const confirmed: string[] = [];
  for (const [index, file] of sensitive.entries()) {
    const { path } = file;
    const left = sensitive.length - index;
    const chosen = await vscode.window.showWarningMessage(
      t('Accept {0}?', path),
      {
        modal: true,
        detail: `${sensitiveReason(file)}${left > 1 ? `\n\n${t('{0} to ask about.', count(left - 1, 'more sensitive file'))}` : ''}`,
      },
      ACCEPT,
      ...(files.length > 1 ? [LEAVE] : []),
      ...(left > 2 ? [LEAVE_ALL] : []),
    );
    if (chosen === undefined) {
      return undefined;
    }
    if (chosen === LEAVE_ALL) {
      break;
    }
    if (chosen === ACCEPT) {
      confirmed.push(path);
    }
  }
  return confirmed;
}

/** @returns why, empty without a reason; undefined when nothing is to be rejected */
export async function askReason(path: string): Promise<string | undefined> {
  const reason = await vscode.window.showInputBox({
    title: t('Reject in {0}', path),
    prompt: t(
      'The agent is told why when you submit the review. Enter alone rejects without a reason, Escape does not reject.',
    ),
    placeHolder: t('Why? (optional)'),
    ignoreFocusOut: true,
    validateInput: value => (value.trim().length > MAX_REASON ? t('At most {0} characters.', MAX_REASON) : undefined),
  });
  return reason?.trim();
}

export async function confirmRejectAll({ files, review }: Pending): Promise<boolean> {
  const reject = t('Reject All');
  const chosen = await vscode.window.showWarningMessage(
    t('Reject {0} in {1}?', count(review.pending, 'pending change'), count(files.length, 'file')),
    { modal: true, detail: t('What you accepted stays. "Undo Review Decision" brings them back.') },
    reject,
  );
  return chosen === reject;
}
