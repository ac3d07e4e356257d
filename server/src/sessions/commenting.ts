import { linesOf, moveAnchor } from '../../../protocol/anchor.ts';
import type { CallHandlers, CallResult, CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { CommentPlace, LineRange } from '../../../protocol/feedback.ts';
import { newId } from '../../../protocol/ids.ts';
import type { ReviewComment, SessionState } from '../../../protocol/session.ts';
import type { CallContext } from '../core/callContext.ts';
import { ObjectReader } from '../git/objectReader.ts';
import { entryAt, treeOf } from '../git/tree.ts';
import { blameHandlers } from './blaming.ts';
import type { Dependencies } from './dependencies.ts';
import type { Idempotency } from './idempotency.ts';
import type { Sessions } from './sessions.ts';
import { submitReview } from './submitting.ts';
import { mirrorOf } from './workspace.ts';

export type FeedbackHandlers = Pick<
  CallHandlers<CallContext>,
  | 'review.comments'
  | 'review.comment'
  | 'review.editComment'
  | 'review.deleteComment'
  | 'review.resolveComment'
  | 'review.submit'
  | 'review.blame'
>;

const MAX_QUOTE = 4000;
/** What all drafts together may take of a submission. */
const MAX_DRAFT_BYTES = 28 * 1024;
const BYTES_BESIDE_TEXT = 120;

type ShownComment = CallResult<'review.comments'>['comments'][number];

/** The calls of comments and of submitted reviews. */
export function feedbackHandlers(
  dependencies: Dependencies,
  sessions: Sessions,
  idempotency: Idempotency,
): FeedbackHandlers {
  return {
    ...blameHandlers(dependencies, sessions),
    'review.comments': async ({ sessionId }) => ({
      comments: await listComments(dependencies, (await sessions.get(sessionId)).log.state),
    }),
    'review.comment': params =>
      idempotency.once('review.comment', params, async record => {
        const session = await sessions.get(params.sessionId);
        await dependencies.requireRoom(params.sessionId);
        const commentId = newId('cmt');
        const place = await placeOf(dependencies, session.log.state, params.target);
        let seq = 0;
        await session.record(state => {
          refuseArchived(state);
          requireRoomForDraft(state, { id: commentId, place, text: params.text });
          return {
            events: [{ type: 'commentWritten', commentId, place, text: params.text, by: 'owner' }],
            call: last => {
              seq = last;
              return record({ commentId, seq: last });
            },
          };
        });
        return { commentId, seq };
      }),
    'review.editComment': params =>
      idempotency.once('review.editComment', params, async record => {
        const session = await sessions.get(params.sessionId);
        const { commentId, text } = params;
        let seq = 0;
        await session.record(state => {
          const draft = draftOf(state, commentId);
          requireRoomForDraft(state, { ...draft, text });
          return {
            events: draft.text === text ? [] : [{ type: 'commentEdited', commentId, text, by: 'owner' }],
            call: last => {
              seq = last;
              return record({ seq: last });
            },
          };
        });
        return { seq };
      }),
    'review.deleteComment': params =>
      idempotency.once('review.deleteComment', params, async record => {
        const session = await sessions.get(params.sessionId);
        const { commentId } = params;
        await session.record(state => {
          draftOf(state, commentId);
          return { events: [{ type: 'commentDeleted', commentId, by: 'owner' }], call: () => record({}) };
        });
        return {};
      }),
    'review.resolveComment': params =>
      idempotency.once('review.resolveComment', params, async record => {
        const session = await sessions.get(params.sessionId);
        const { commentId, resolved } = params;
        let seq = 0;
        await session.record(state => {
          const comment = commentOf(state, commentId);
          if (comment.submission === undefined) {
            throw new SandpiperError('conflict', 'This comment is a draft that nobody has seen.', {
              hint: 'Delete it, or submit the review.',
            });
          }
          return {
            events:
              comment.resolved === resolved ? [] : [{ type: 'commentResolved', commentId, resolved, by: 'owner' }],
            call: last => {
              seq = last;
              return record({ seq: last });
            },
          };
        });
        return { seq };
      }),
    'review.submit': params =>
      idempotency.once('review.submit', params, async record => {
        const session = await sessions.get(params.sessionId);
        await dependencies.requireRoom(params.sessionId);
        return submitReview(dependencies, session, params.text, record);
      }),
  };
}

/** Every comment with the place that its lines have now. Files are read once each, through one git. */
async function listComments(dependencies: Dependencies, state: SessionState): Promise<ShownComment[]> {
  const comments = state.feedback?.comments ?? [];
  const places = comments.flatMap(({ place }) => (place.kind === 'lines' ? [place] : []));
  if (places.length === 0) {
    return comments.map(comment => shown(comment, null));
  }
  const reader = new ObjectReader(mirrorOf(dependencies, state));
  try {
    const trees = {
      accepted: await treeOf(reader, state.accepted),
      proposed: await treeOf(reader, state.proposed),
    };
    const texts = new Map<string, Promise<string[] | undefined>>();
    const linesOfBlob = (id: string): Promise<string[] | undefined> => {
      const lines = texts.get(id) ?? readLines(reader, id);
      texts.set(id, lines);
      return lines;
    };
    return await Promise.all(
      comments.map(async comment => {
        const { place } = comment;
        if (place.kind !== 'lines') {
          return shown(comment, null);
        }
        const entry = await entryAt(reader, trees[place.side], place.path);
        return shown(comment, entry ? await placeNow(place, entry.id, linesOfBlob) : null);
      }),
    );
  } finally {
    reader.dispose();
  }
}

type LinesPlace = Extract<CommentPlace, { kind: 'lines' }>;

async function placeNow(
  place: LinesPlace,
  object: string,
  read: (id: string) => Promise<string[] | undefined>,
): Promise<LineRange | null> {
  if (object === place.object) {
    return place.lines;
  }
  const [before, after] = await Promise.all([read(place.object), read(object)]);
  if (!after) {
    return null;
  }
  // The content that it was made on may be gone from the mirror; the event has what was commented.
  const [was, lines] = before ? [before, place.lines] : [quotedAt(place), place.lines];
  return moveAnchor(was, after, lines)?.lines ?? null;
}

function quotedAt({ lines, quote }: LinesPlace): string[] {
  return [...Array.from({ length: lines.start }, () => '\0'), ...linesOf(quote)];
}

async function readLines(reader: ObjectReader, id: string): Promise<string[] | undefined> {
  try {
    return linesOf((await reader.readAs(id, 'blob')).toString('utf8'));
  } catch (error) {
    if (error instanceof SandpiperError && (error.code === 'git_failed' || error.code === 'too_large')) {
      return undefined;
    }
    throw error;
  }
}

function shown(comment: ReviewComment, now: LineRange | null): ShownComment {
  const { id, at, by, place, text, submission, label, answer, resolved } = comment;
  return {
    id,
    at,
    by,
    place,
    now,
    text,
    state: submission === undefined ? 'draft' : (answer?.outcome ?? 'submitted'),
    outdated: place.kind === 'lines' && now === null,
    ...(label === undefined ? {} : { label }),
    ...(answer ? { answer } : {}),
    resolved,
  };
}

/** @throws `stale` when what it is on is not there */
async function placeOf(
  dependencies: Dependencies,
  state: SessionState,
  target: CheckedParams<'review.comment'>['target'],
): Promise<CommentPlace> {
  switch (target.kind) {
    case 'plan': {
      const { approvalId } = target;
      const known = [...state.approvals, ...state.answered].some(one => one.id === approvalId && one.kind === 'plan');
      return known ? target : refuse('There is no such plan in this session.');
    }
    case 'item':
      return state.items.some(({ id }) => id === target.itemId)
        ? target
        : refuse('There is no such message in this session.');
    case 'lines': {
      const reader = new ObjectReader(mirrorOf(dependencies, state));
      try {
        const lines = await readLines(reader, target.object);
        if (!lines) {
          return refuse(`${target.path} is not there as you saw it.`);
        }
        const { start, count } = target.lines;
        if (start >= Math.max(1, lines.length)) {
          return refuse(`${target.path} has ${lines.length} lines; line ${start + 1} is not one of them.`);
        }
        const quote = lines
          .slice(start, start + count)
          .join('\n')
          .slice(0, MAX_QUOTE);
        return { ...target, lines: { start, count: Math.max(1, Math.min(count, lines.length - start)) }, quote };
      } finally {
        reader.dispose();
      }
    }
  }
}

function refuse(message: string): never {
  throw new SandpiperError('stale', message, { hint: 'Look at the changes again and comment on what is there.' });
}

function refuseArchived(state: SessionState): void {
  if (state.archived) {
    throw new SandpiperError('conflict', 'This session is archived.', { hint: 'Bring it back before you comment.' });
  }
}

function commentOf(state: SessionState, id: string): ReviewComment {
  const comment = state.feedback?.comments.find(one => one.id === id);
  if (!comment) {
    throw new SandpiperError('not_found', 'There is no such comment.', { hint: 'It may have been deleted meanwhile.' });
  }
  return comment;
}

function draftOf(state: SessionState, id: string): ReviewComment {
  const comment = commentOf(state, id);
  if (comment.submission !== undefined) {
    throw new SandpiperError('conflict', 'The agent has this comment already.', { hint: 'Write another one.' });
  }
  return comment;
}

/** So that every submission has room for every draft. */
function requireRoomForDraft(state: SessionState, draft: Pick<ReviewComment, 'id' | 'place' | 'text'>): void {
  const others = (state.feedback?.comments ?? []).filter(one => one.submission === undefined && one.id !== draft.id);
  const bytes = [...others, draft].reduce((sum, { place, text }) => {
    const name = place.kind === 'lines' ? Buffer.byteLength(JSON.stringify(place.path)) : 0;
    return sum + Buffer.byteLength(text) + name + BYTES_BESIDE_TEXT;
  }, 0);
  if (bytes > MAX_DRAFT_BYTES) {
    throw new SandpiperError('too_large', 'There are more comments than the agent can be given at once.', {
      hint: 'Submit the review, then go on commenting.',
    });
  }
}
