import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import type { CallResult } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { EventBody, EventOf } from '../../../protocol/events.ts';
import type { CommentPlace, LineRange, SubmittedItem } from '../../../protocol/feedback.ts';
import { newId } from '../../../protocol/ids.ts';
import type { ReviewComment, SessionState } from '../../../protocol/session.ts';
import { proposedAfter, rejectionsIn, reviewerChanges, type ReviewerChange } from '../review/reviewerChanges.ts';
import { shownPath, submissionText } from '../review/submissionText.ts';
import type { Store } from '../store/store.ts';
import type { Dependencies } from './dependencies.ts';
import type { RecordOf } from './idempotency.ts';
import { queueMessage } from './personDrafts.ts';
import type { Session } from './session.ts';
import { mirrorOf } from './workspace.ts';

/** A decision, a draft or a turn that ends can come between; each time it is put together anew. */
const MAX_ATTEMPTS = 5;
const PAGE = 1000;
const MAX_REASON = 2000;

type Submitted = CallResult<'review.submit'>;

/**
 * Hands a review to the agent: one message that says what was rejected, edited and commented. The message, the submission
 * and the record of the call are one append, so that a kill leaves all or nothing.
 * @throws `conflict` when there is nothing to hand over
 */
export async function submitReview(
  dependencies: Dependencies,
  session: Session,
  text: string,
  record: RecordOf,
): Promise<Submitted> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const { state } = session.log;
    const changes = await changesOfReviewer(dependencies, state);
    const { message, event } = composeSubmission(state, changes, text);
    let result: Submitted | undefined;
    await session.record(now => {
      if (!isSame(state, now)) {
        return undefined;
      }
      const queued = queueMessage(now, { messageId: event.messageId, text: message, by: 'owner' });
      return {
        ...queued,
        events: [...queued.events, event],
        call: seq => {
          result = { ...countsOf(event), submission: event.submission, messageId: event.messageId, seq };
          return record(result);
        },
      };
    });
    if (result) {
      session.advance();
      return result;
    }
  }
  throw new SandpiperError('stale', 'The review changed again and again while it was submitted.', {
    hint: 'Look at it again and submit it once more.',
  });
}

async function changesOfReviewer(dependencies: Dependencies, state: SessionState): Promise<ReviewerChange[]> {
  const agents = currentCheckpoint(state);
  if (agents === state.proposed) {
    return [];
  }
  const last = state.feedback?.submissions.at(-1);
  const bodies = await readBodies(dependencies.store, state.id, last?.seq ?? 0);
  const rejections = rejectionsIn(last?.proposed ?? state.base, bodies);
  return reviewerChanges(mirrorOf(dependencies, state), { agents, proposed: state.proposed }, rejections);
}

async function readBodies(store: Store, sessionId: string, after: number): Promise<EventBody[]> {
  const bodies: EventBody[] = [];
  for (let from = after; ;) {
    const events = await store.readEvents(sessionId, from, PAGE);
    const last = events.at(-1);
    // Only what moves the proposed tree matters; a log can be long.
    bodies.push(...events.map(({ body }) => body).filter(body => proposedAfter(body) !== undefined));
    if (!last || events.length < PAGE) {
      return bodies;
    }
    from = last.seq;
  }
}

/** The message and the event of a submission. Pure but for the id of the message. @throws `conflict` without any item */
export function composeSubmission(
  state: SessionState,
  changes: readonly ReviewerChange[],
  text: string,
): { message: string; event: EventOf<'reviewSubmitted'> } {
  const { comments = [], labelled = { C: 0, R: 0, E: 0 } } = state.feedback ?? {};
  const next = { ...labelled };
  const labelOf = (letter: keyof typeof next): string => `${letter}${++next[letter]}`;
  const drafts = comments
    .filter(({ submission }) => submission === undefined)
    .map(comment => ({ comment, label: labelOf('C') }));
  const told = [
    ...changes.filter(({ kind }) => kind === 'rejection'),
    ...changes.filter(({ kind }) => kind === 'edit'),
  ].map(change => ({ ...change, label: labelOf(change.kind === 'rejection' ? 'R' : 'E') }));
  if (drafts.length + told.length === 0) {
    throw new SandpiperError('conflict', 'There is nothing to submit.', {
      hint: 'Reject, edit or comment on a change first, or send a message.',
    });
  }
  const files = (kind: ReviewerChange['kind']) =>
    told
      .filter(change => change.kind === kind)
      .map(({ label, path, reason, hunks, whole }) => ({
        label,
        path,
        hunks,
        ...(reason === undefined ? {} : { reason }),
        ...(whole === undefined ? {} : { whole }),
      }));
  const { text: message, shown } = submissionText({
    text,
    rejections: files('rejection'),
    edits: files('edit'),
    comments: drafts.map(({ comment, label }) => ({
      label,
      place: placeText(comment.place),
      quote: comment.place.quote,
      text: comment.text,
    })),
  });
  const items: SubmittedItem[] = [
    ...drafts.map(
      ({ comment, label }) => ({ label, kind: 'comment', commentId: comment.id, ...pathOf(comment) }) as const,
    ),
    ...told
      .filter(({ label }) => shown.includes(label))
      .map(({ label, kind, path, hunks, reason }) => ({
        label,
        kind,
        path,
        hunks: hunks.length,
        ...(reason === undefined ? {} : { reason: reason.slice(0, MAX_REASON) }),
      })),
  ];
  const omitted = drafts.length + told.length - items.length;
  return {
    message,
    event: {
      type: 'reviewSubmitted',
      submission: (state.feedback?.submissions.at(-1)?.number ?? 0) + 1,
      messageId: newId('msg'),
      items,
      // Two commits can have the same files.
      agents: told.length === 0 ? state.proposed : currentCheckpoint(state),
      proposed: state.proposed,
      ...(omitted === 0 ? {} : { omitted }),
      by: 'owner',
    },
  };
}

function placeText(place: CommentPlace): string {
  switch (place.kind) {
    case 'plan':
      return place.lines ? `your plan, ${linesText(place.lines)}` : 'your plan';
    case 'item':
      return 'what you wrote or did';
    case 'lines': {
      return `${shownPath(place.path)}, ${linesText(place.lines)}${place.side === 'accepted' ? ' of what it was before your change' : ''}`;
    }
  }
}

function linesText({ start, count }: LineRange): string {
  return count === 1 ? `line ${start + 1}` : `lines ${start + 1}-${start + count}`;
}

function pathOf({ place }: ReviewComment): { path?: string } {
  return place.kind === 'lines' ? { path: place.path } : {};
}

function countsOf({ items }: EventOf<'reviewSubmitted'>): Pick<Submitted, 'comments' | 'rejections' | 'edits'> {
  const count = (kind: SubmittedItem['kind']) => items.filter(item => item.kind === kind).length;
  return { comments: count('comment'), rejections: count('rejection'), edits: count('edit') };
}

/** Whether what the submission was put together from is still what there is. */
function isSame(before: SessionState, now: SessionState): boolean {
  return (
    before.proposed === now.proposed &&
    currentCheckpoint(before) === currentCheckpoint(now) &&
    before.feedback === now.feedback
  );
}
