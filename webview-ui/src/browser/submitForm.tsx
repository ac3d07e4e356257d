import type { JSX } from 'preact';
import { submittedText, type Comment } from '../../../protocol/commentText.ts';
import { count, t } from '../../../protocol/text.ts';
import { Problem } from '../components/problem.tsx';
import { useAction } from '../components/useAction.ts';
import type { ChangesPanel } from './changesPanel.ts';
import { NoteForm } from './noteForm.tsx';

/** The longest word besides that the relay takes. */
const MAX_TEXT = 4000;

export interface SubmitFormProps {
  panel: ChangesPanel;
  comments: readonly Comment[];
  /** @param said what was handed over; empty when nothing was */
  onDone: (said: string) => void;
}

/** Hands the review to the agent, after a word besides. */
export function SubmitForm({ panel, comments, onDone }: SubmitFormProps): JSX.Element {
  const action = useAction();
  const drafts = comments.filter(({ state }) => state === 'draft').length;
  return (
    <div class="submitReview">
      <p class="note">
        {t(
          'The agent gets {0} and everything that you rejected or edited.',
          drafts === 0 ? t('no comments') : count(drafts, 'comment'),
        )}
      </p>
      <NoteForm
        label={t('Anything else to say? (optional)')}
        confirm={t('Submit Review')}
        maxLength={MAX_TEXT}
        optional
        busy={action.busy}
        onSave={text => action.run(async () => onDone(submittedText(await panel.submit(text))))}
        onCancel={() => onDone('')}
      />
      <Problem error={action.error} />
    </div>
  );
}
