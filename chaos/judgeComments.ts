import type { EventBody } from '../protocol/events.ts';
import { typedBySeq } from './judgeTrees.ts';
import type { Add, SessionEvidence } from './oracle.ts';
import type { TypedCall } from './typedCall.ts';

interface Comment {
  text: string;
  submitted: boolean;
}

/** The drafts and what was submitted, by what the person typed alone. */
export function judgeComments({ typed, stored, own, comments }: SessionEvidence, add: Add): void {
  const typedAt = typedBySeq(typed);
  const wanted = new Map<string, Comment>();
  const inherited = stored.length - own.length;
  for (const [index, { seq, body }] of stored.entries()) {
    // What a branch has from the other session is as that one's log says.
    if (index < inherited) {
      inherit(wanted, body);
    } else {
      follow(wanted, body, typedAt.get(seq)?.typed, add);
    }
  }
  for (const [id, { text, submitted }] of wanted) {
    const [comment, ...more] = comments.filter(one => one.id === id);
    if (!comment || more.length > 0) {
      add(comment ? 'duplicated' : 'lost', `The comment "${text}" is there ${more.length + (comment ? 1 : 0)} times.`);
    } else if (comment.text !== text || (comment.state === 'draft') === submitted) {
      add('broken', `The comment "${text}" is "${comment.text}" (${comment.state}).`);
    }
  }
}

function inherit(wanted: Map<string, Comment>, body: EventBody): void {
  if (body.type === 'commentWritten' || body.type === 'commentEdited') {
    wanted.set(body.commentId, { text: body.text, submitted: false });
  } else if (body.type === 'commentDeleted') {
    wanted.delete(body.commentId);
  } else if (body.type === 'reviewSubmitted') {
    wanted.forEach(comment => (comment.submitted = true));
  }
}

function follow(wanted: Map<string, Comment>, body: EventBody, call: TypedCall | undefined, add: Add): void {
  if (body.type === 'commentWritten' && call?.call === 'review.comment') {
    wanted.set(body.commentId, { text: call.params.text, submitted: false });
  } else if (body.type === 'commentEdited' && call?.call === 'review.editComment') {
    wanted.set(call.params.commentId, { text: call.params.text, submitted: false });
  } else if (body.type === 'commentDeleted') {
    wanted.delete(body.commentId);
  } else if (body.type === 'reviewSubmitted') {
    const drafts = [...wanted].filter(([, { submitted }]) => !submitted).map(([id]) => id);
    const told = body.items.flatMap(({ commentId }) => commentId ?? []);
    if (drafts.sort().join() !== told.sort().join()) {
      add('lost', `Review ${body.submission} has the comments ${told.join()}, the drafts were ${drafts.join()}.`);
    }
    wanted.forEach(comment => (comment.submitted = true));
  }
}
