import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Comment } from '../../../protocol/commentText.ts';
import type { PendingFile } from '../../../protocol/pendingReview.ts';
import type { Hunk } from '../../../protocol/review.ts';
import { t } from '../../../protocol/text.ts';
import { Problem } from '../components/problem.tsx';
import { useAction } from '../components/useAction.ts';
import type { HunkLine } from '../text/hunkLines.ts';
import type { ChangesPanel } from './changesPanel.ts';
import { CommentList, MAX_COMMENT } from './commentList.tsx';
import { NoteForm } from './noteForm.tsx';
import { targetOf } from './reviewComments.ts';
import { ReviewLines } from './reviewLines.tsx';
import { placeKey, type Decide } from './reviewPlaces.ts';

/** The longest reason that the relay takes. */
const MAX_REASON = 2000;

export interface ReviewHunkProps {
  panel: ChangesPanel;
  file: PendingFile;
  /** Which of the file's. */
  index: number;
  hunk: Hunk;
  lines: readonly HunkLine[];
  comments: readonly Comment[];
  busy: boolean;
  onDecide: Decide;
}

/** A change of a file: its lines, what is said about it, and its decision. */
export function ReviewHunk(props: ReviewHunkProps): JSX.Element {
  const { panel, file, hunk, index, lines, comments, busy, onDecide } = props;
  const { path, hunks } = file;
  const [note, setNote] = useState<'reason' | 'comment' | undefined>(undefined);
  const saving = useAction();
  const place = { path, hunk: hunk.id };
  const name = t('change {0} of {1} in {2}', index + 1, hunks.length, path);
  const target = targetOf(file, hunk);
  const button = (kind: 'primary' | 'secondary', text: string, label: string, act: () => void): JSX.Element => (
    <button type="button" class={kind} aria-label={label} disabled={busy} onClick={act}>
      {text}
    </button>
  );
  return (
    <div
      class="hunk"
      role="group"
      tabIndex={0}
      data-place={placeKey(path, hunk.id)}
      aria-label={t(
        'Change {0} of {1} in {2}, line {3}. A accepts it, R rejects it.',
        index + 1,
        hunks.length,
        path,
        hunk.newStart + 1,
      )}
      onKeyDown={event => {
        const verdict = event.target === event.currentTarget ? verdictOf(event) : undefined;
        if (verdict && !busy) {
          onDecide(verdict, place);
        }
      }}
    >
      <ReviewLines lines={lines} label={t('Lines of {0}', name)} />
      <CommentList panel={panel} comments={comments} />
      {note === 'reason' ? (
        <NoteForm
          label={t('Why it is rejected; the agent is told when you submit the review')}
          confirm={t('Reject')}
          maxLength={MAX_REASON}
          busy={busy}
          onSave={reason => onDecide('reject', place, reason)}
          onCancel={() => setNote(undefined)}
        />
      ) : note === 'comment' && target ? (
        <NoteForm
          label={t('Comment to the agent')}
          confirm={t('Add Comment')}
          maxLength={MAX_COMMENT}
          busy={saving.busy}
          onSave={text =>
            saving.run(async () => {
              await panel.comment(target, text);
              setNote(undefined);
            })
          }
          onCancel={() => setNote(undefined)}
        />
      ) : (
        <div class="actions hunkActions">
          {button('primary', t('Accept'), t('Accept {0}', name), () => onDecide('accept', place))}
          {button('secondary', t('Reject'), t('Reject {0}', name), () => onDecide('reject', place))}
          {button('secondary', t('Reject…'), t('Reject… {0}', name), () => setNote('reason'))}
          {target ? button('secondary', t('Comment'), t('Comment on {0}', name), () => setNote('comment')) : null}
        </div>
      )}
      <Problem error={saving.error} />
    </div>
  );
}

/** Only while the change itself has the focus, and only a key alone. */
function verdictOf({ key, ctrlKey, metaKey, altKey, repeat }: KeyboardEvent): 'accept' | 'reject' | undefined {
  if (ctrlKey || metaKey || altKey || repeat) {
    return undefined;
  }
  return key.toLowerCase() === 'a' ? 'accept' : key.toLowerCase() === 'r' ? 'reject' : undefined;
}
