import * as vscode from 'vscode';
import { count } from '../sessions/sessionGroups.ts';
import type { Pending, PendingFile } from './pendingChanges.ts';

/* What a reviewer is asked before a decision that reaches further than what they see. */

const ACCEPT = 'Accept';
const LEAVE = 'Leave Pending';
const LEAVE_ALL = 'Leave All Sensitive Files';

/**
 * Asks about each sensitive file by itself, with the reason.
 * @returns the paths to accept; undefined when nothing is to be accepted at all
 */
export async function askSensitive(files: readonly PendingFile[]): Promise<string[] | undefined> {
  const sensitive = files.filter(file => file.sensitive !== undefined);
  const confirmed: string[] = [];
  for (const [index, { path, sensitive: reason = '' }] of sensitive.entries()) {
    const left = sensitive.length - index;
    const chosen = await vscode.window.showWarningMessage(
      `Accept ${path}?`,
      {
        modal: true,
        detail: `${reason}. Such files can run code on a developer's machine.${left > 1 ? `\n\n${count(left - 1, 'more sensitive file')} to ask about.` : ''}`,
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

export async function confirmRejectAll({ files, review }: Pending): Promise<boolean> {
  const reject = 'Reject All';
  const chosen = await vscode.window.showWarningMessage(
    `Reject ${count(review.pending, 'pending change')} in ${count(files.length, 'file')}?`,
    { modal: true, detail: 'What you accepted stays. "Undo Review Decision" brings them back.' },
    reject,
  );
  return chosen === reject;
}
