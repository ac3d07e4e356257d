import { sensitiveReason, type PendingFile, type PendingReview } from '../../../protocol/pendingReview.ts';
import { ask } from '../state/dialogs.ts';
import { count, t } from '../../../protocol/text.ts';

/* What a reviewer is asked before a decision that reaches further than what they see. */

/** Whether a person wants all of this file, which may run code on their machine. */
export async function confirmSensitive(file: PendingFile): Promise<boolean> {
  return (await ask(sensitiveQuestion(file))) !== undefined;
}

/**
 * Asks about each sensitive file by itself, with the reason.
 * @returns the paths to accept; undefined when nothing is to be accepted at all
 */
export async function askSensitive(files: readonly PendingFile[]): Promise<string[] | undefined> {
  const sensitive = files.filter(file => file.sensitive !== undefined);
  const confirmed: string[] = [];
  for (const [index, file] of sensitive.entries()) {
    const left = sensitive.length - index - 1;
    const question = sensitiveQuestion(file);
    const more = left > 0 ? ` ${t('{0} to ask about.', count(left, 'more sensitive file'))}` : '';
    const answer = await ask({ ...question, body: `${question.body}${more}`, instead: t('Leave Pending') });
    if (answer === undefined) {
      return undefined;
    }
    if (answer !== 'instead') {
      confirmed.push(file.path);
    }
  }
  return confirmed;
}

export async function confirmRejectAll({ files, review }: PendingReview): Promise<boolean> {
  const answer = await ask({
    title: t('Reject {0} in {1}?', count(review.pending, 'pending change'), count(files.length, 'file')),
    body: t('What you accepted stays. Undo brings them back.'),
    confirm: t('Reject All'),
  });
  return answer !== undefined;
}

function sensitiveQuestion(file: PendingFile): { title: string; body: string; confirm: string } {
  return { title: t('Accept {0}?', file.path), body: sensitiveReason(file), confirm: t('Accept') };
}
