import { currentCheckpoint } from './checkpoints.ts';
import type { EventOf } from './events.ts';
import type { ItemEditor } from './itemEditor.ts';
import { reviewAfterTurn } from './reviewReducer.ts';
import type { Feedback, ReviewComment, SessionState, Submission } from './session.ts';

/* The part of the reducer that follows comments and submitted reviews. */

const MAX_SUBMISSIONS = 50;
const MAX_COMMENTS = 500;
const NONE: Feedback = { comments: [], submissions: [], labelled: { C: 0, R: 0, E: 0 } };

/** As in reducer.ts. */
interface Step {
  at: number;
  seq: number;
  items: ItemEditor;
}
type Patch = Pick<SessionState, 'feedback'>;

export const feedbackHandlers = {
  commentWritten: (state: SessionState, body: EventOf<'commentWritten'>, { at }: Step): Patch => {
    const feedback = state.feedback ?? NONE;
    const { commentId: id, place, text, by } = body;
    const comments = [...feedback.comments, { id, at, by, place, text, resolved: false }];
    return { feedback: { ...feedback, comments: withoutOldest(comments) } };
  },
  commentEdited: (state: SessionState, { commentId, text }: EventOf<'commentEdited'>): Patch =>
    withComments(state, comments => comments.map(one => (one.id === commentId ? { ...one, text } : one))),
  commentDeleted: (state: SessionState, { commentId }: EventOf<'commentDeleted'>): Patch =>
    withComments(state, comments => comments.filter(one => one.id !== commentId)),
  commentResolved: (state: SessionState, { commentId, resolved }: EventOf<'commentResolved'>): Patch =>
    withComments(state, comments => comments.map(one => (one.id === commentId ? { ...one, resolved } : one))),
  reviewSubmitted: (state: SessionState, body: EventOf<'reviewSubmitted'>, { at, seq, items }: Step): Patch => {
    const { comments, submissions, labelled } = state.feedback ?? NONE;
    const { submission: number, messageId, agents, proposed, by } = body;
    items.changeLast(item =>
      item.kind === 'message' && item.id === messageId ? { ...item, submission: number } : undefined,
    );
    const labels = new Map(body.items.map(({ commentId, label }) => [commentId, label]));
    return {
      feedback: {
        ...state.feedback,
        comments: comments.map(one => {
          const label = labels.get(one.id);
          return label === undefined ? one : { ...one, submission: number, label };
        }),
        submissions: [...submissions, { number, seq, at, by, messageId, agents, proposed, items: body.items }].slice(
          -MAX_SUBMISSIONS,
        ),
        labelled: {
          C: labelled.C + body.items.filter(({ kind }) => kind === 'comment').length,
          R: labelled.R + body.items.filter(({ kind }) => kind === 'rejection').length,
          E: labelled.E + body.items.filter(({ kind }) => kind === 'edit').length,
        },
      },
    };
  },
  reviewApplied: (
    state: SessionState,
    body: EventOf<'reviewApplied'>,
    { at, seq, items }: Step,
  ): Pick<SessionState, 'feedback' | 'restored' | 'proposed' | 'stats' | 'review'> => {
    const { submission: number, commit, files, left, failure } = body;
    const applied = { files, left, ...(failure === undefined ? {} : { failure }) };
    items.add({ kind: 'notice', id: `notice:${seq}`, at, level: 'info', text: appliedText(applied) });
    const feedback = state.feedback ?? NONE;
    // Turns may have ended since it was submitted: what it is brought into is not what it was made on.
    const agents = currentCheckpoint(state);
    return {
      feedback: {
        ...feedback,
        applied: { commit, agents },
        submissions: feedback.submissions.map(one => (one.number === number ? { ...one, applied } : one)),
      },
      restored: commit,
      proposed: body.proposed ?? commit,
      stats: body.stats,
      review: reviewAfterTurn(state.review, body),
    };
  },
  reviewAnswered: (state: SessionState, { turn, answers }: EventOf<'reviewAnswered'>): Patch => {
    if (!state.feedback) {
      return {};
    }
    const byLabel = new Map(answers.map(answer => [answer.label, { ...answer, turn }]));
    const submissions = state.feedback.submissions.map(submission => ({
      ...submission,
      items: submission.items.map(item => {
        const answer = byLabel.get(item.label);
        return answer ? { ...item, answer } : item;
      }),
    }));
    const byComment = new Map(submissions.flatMap(({ items }) => items.map(item => [item.commentId, item.answer])));
    const comments = state.feedback.comments.map(one => {
      const answer = byComment.get(one.id);
      return answer ? { ...one, answer } : one;
    });
    return { feedback: { ...state.feedback, submissions, comments } };
  },
};

function appliedText({ files, left, failure }: NonNullable<Submission['applied']>): string {
  if (failure !== undefined) {
    return `The review could not be brought into the agent’s files: ${failure}`;
  }
  const rest = left.length === 0 ? '' : ` Not into ${left.slice(0, 5).join(', ')}${left.length > 5 ? ' …' : ''}.`;
  return `The review was brought into ${files} of the agent’s files.${rest}`;
}

/** A state is bounded; what leaves it is in the log. A draft stays. */
function withoutOldest(comments: ReviewComment[]): ReviewComment[] {
  const oldest = comments.length > MAX_COMMENTS ? comments.findIndex(({ submission }) => submission !== undefined) : -1;
  return oldest < 0 ? comments : comments.toSpliced(oldest, 1);
}

function withComments(state: SessionState, change: (comments: ReviewComment[]) => ReviewComment[]): Patch {
  return state.feedback ? { feedback: { ...state.feedback, comments: change(state.feedback.comments) } } : {};
}
