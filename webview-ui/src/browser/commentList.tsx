import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { answerOf, commentLabel, type Comment } from '../../../protocol/commentText.ts';
import { t } from '../../../protocol/text.ts';
import { Problem } from '../components/problem.tsx';
import { useAction } from '../components/useAction.ts';
import { VisibleText } from '../components/visibleText.tsx';
import type { ChangesPanel } from './changesPanel.ts';
import { NoteForm } from './noteForm.tsx';

/** The longest comment that the relay takes. */
export const MAX_COMMENT = 8000;

/** What was said to the agent, and what it said to that. */
export function CommentList({ panel, comments }: { panel: ChangesPanel; comments: readonly Comment[] }): JSX.Element {
  return (
    <>
      {comments.map(comment => (
        <CommentView key={comment.id} panel={panel} comment={comment} />
      ))}
    </>
  );
}

function CommentView({ panel, comment }: { panel: ChangesPanel; comment: Comment }): JSX.Element {
  const action = useAction();
  const [editing, setEditing] = useState(false);
  const { id, text, state, outdated } = comment;
  const answer = answerOf(comment);
  const label = [commentLabel(comment), ...(outdated ? [t('Outdated')] : [])].filter(Boolean).join(', ');
  return (
    <div class="comment" role="group" aria-label={t('Comment to the agent')}>
      <p class="dim">
        {t('You')} {label === '' ? null : <span class="chip">{label}</span>}
      </p>
      {editing ? (
        <NoteForm
          label={t('Comment to the agent')}
          confirm={t('Save')}
          text={text}
          maxLength={MAX_COMMENT}
          busy={action.busy}
          onSave={words =>
            action.run(async () => {
              await panel.editComment(id, words);
              setEditing(false);
            })
          }
          onCancel={() => setEditing(false)}
        />
      ) : (
        <p class="said">
          <VisibleText text={text} />
        </p>
      )}
      {answer ? (
        <div class="commentAnswer">
          <p class="dim">
            {t('Agent')} <span class="chip">{answer.title}</span>
          </p>
          {answer.text === '' ? null : (
            <p class="said">
              <VisibleText text={answer.text} />
            </p>
          )}
        </div>
      ) : null}
      {state === 'draft' && !editing ? (
        <div class="rowActions">
          <button type="button" class="link" disabled={action.busy} onClick={() => setEditing(true)}>
            {t('Edit')}
          </button>
          <button
            type="button"
            class="link"
            disabled={action.busy}
            onClick={() => action.run(() => panel.deleteComment(id))}
          >
            {t('Delete')}
          </button>
        </div>
      ) : null}
      <Problem error={action.error} />
    </div>
  );
}
