import { lineOf } from '../protocol/checkpoints.ts';
import type { EventBody, EventType, SessionEvent } from '../protocol/events.ts';
import { reduceEvents } from '../protocol/reducer.ts';
import { lostTurns } from './judgeTrees.ts';
import type { Add, SessionEvidence } from './oracle.ts';
import type { Entry } from './outbox.ts';
import { rememberedIn, workIn } from './work.ts';

/** What only the person does: every such event was typed once. */
const DEED_EVENTS: readonly EventType[] = [
  'reviewDecided',
  'commentWritten',
  'commentEdited',
  'commentDeleted',
  'reviewSubmitted',
  'restoreStarted',
];
/** These make no event when there is nothing to change. */
const MAY_BE_SO_ALREADY: readonly string[] = ['review.undo', 'changes.acceptAll', 'review.editComment'];
/** Refused without an effect, since the session was another by then. */
const TOO_LATE = ['stale', 'conflict'];

/** Whether the person can be refused this: everything else that is refused is lost. */
export function mayBeRefused({ typed, outcome }: Entry): boolean {
  const isDeed = 'deed' in typed || typed.call === 'review.submit' || typed.call === 'session.answer';
  return outcome.kind === 'refused' && isDeed && TOO_LATE.includes(outcome.code);
}

/** What the relay acknowledged happened, once; what it refused did not; and nothing happened that nobody typed. */
export function judgeDeeds(evidence: SessionEvidence, add: Add): void {
  const claimed = claimEvents(evidence, add);
  for (const { seq, body } of evidence.own) {
    if (DEED_EVENTS.includes(body.type) && !claimed.has(seq)) {
      add('duplicated', `Event ${seq} (${body.type}) was typed by nobody, or is the second of one.`);
    }
    if (body.type === 'restoreStarted') {
      const ends = evidence.own.filter(({ body: end }) => 'restore' in end && end.restore === seq).length;
      if (ends !== 1) {
        add(ends === 0 ? 'lost' : 'duplicated', `Restore ${seq} has ${ends} ends.`);
      }
    } else if (body.type === 'restoreFailed') {
      add('lost', `Restore ${body.restore} failed: ${body.failure.message}`);
    }
  }
}

/** The events of what was acknowledged, by their seq. */
function claimEvents({ typed, own }: SessionEvidence, add: Add): Set<number> {
  const bodies = new Map(own.map(({ seq, body }) => [seq, body]));
  const claimed = new Set<number>();
  for (const { typed: call, outcome } of typed) {
    const seq = outcome.kind === 'acknowledged' ? seqOf(call, outcome.answer, own) : undefined;
    if (seq === undefined) {
      continue;
    }
    const body = bodies.get(seq);
    if (body && isEventOf(call.call, body) && !claimed.has(seq)) {
      claimed.add(seq);
    } else if (!MAY_BE_SO_ALREADY.includes(call.call)) {
      add('lost', `${call.call} was acknowledged as event ${seq}, which is ${body?.type ?? 'none'}.`);
    }
  }
  return claimed;
}

function seqOf(
  typed: Entry['typed'],
  answer: { seq?: number | undefined; restore?: number | undefined },
  own: readonly SessionEvent[],
): number | undefined {
  switch (typed.call) {
    case 'review.decide':
    case 'review.edit':
    case 'review.resolve':
    case 'review.undo':
    case 'changes.acceptAll':
    case 'review.comment':
    case 'review.editComment':
    case 'review.submit':
      return answer.seq;
    case 'review.deleteComment': {
      const { commentId } = typed.params;
      return own.find(({ body }) => body.type === 'commentDeleted' && body.commentId === commentId)?.seq ?? 0;
    }
    case 'checkpoint.restore':
    case 'checkpoint.undo':
      return answer.restore;
    default:
      return undefined;
  }
}

function isEventOf(call: Entry['typed']['call'], body: EventBody): boolean {
  switch (call) {
    case 'review.comment':
      return body.type === 'commentWritten';
    case 'review.editComment':
      return body.type === 'commentEdited';
    case 'review.deleteComment':
      return body.type === 'commentDeleted';
    case 'review.submit':
      return body.type === 'reviewSubmitted';
    case 'checkpoint.restore':
      return body.type === 'restoreStarted' && body.undoes === undefined;
    case 'checkpoint.undo':
      return body.type === 'restoreStarted' && body.undoes !== undefined;
    case 'review.undo':
      return body.type === 'reviewDecided' && body.undoes !== undefined;
    default:
      return body.type === 'reviewDecided' && body.undoes === undefined;
  }
}

/** At the end of each turn the agent said what its conversation has: the turns that this one stands on, and no other. */
export function judgeMemory(evidence: SessionEvidence, add: Add): void {
  const { sessionId, stored, own } = evidence;
  const lost = lostTurns(evidence);
  const texts = new Map(
    stored.flatMap(({ body }) => (body.type === 'messageQueued' ? [[body.messageId, body.text] as const] : [])),
  );
  const state = reduceSafely(stored, sessionId);
  const said = own.flatMap(({ seq, body }) => {
    const remembered = body.type === 'textFinished' ? rememberedIn(body.text.text) : undefined;
    const turn = own.findLast(event => event.seq < seq && event.body.type === 'turnStarted')?.body;
    return remembered && turn?.type === 'turnStarted' ? [{ remembered, turn: turn.turn }] : [];
  });
  for (const { remembered, turn } of said) {
    const line = lineOf(state?.turns ?? [], turn, 'conversation');
    const wanted = (state?.turns ?? [])
      // What a turn brought into the conversation is gone with its sandbox, and the session says so: after the turn.
      .filter(({ number }) => line.has(number) && (number === turn || !lost.has(number)))
      .flatMap(({ messageIds }) => messageIds.flatMap(id => workIn(texts.get(id) ?? '')?.message ?? []));
    if (wanted.join() !== remembered.join()) {
      add('broken', `In turn ${turn} the agent remembered ${remembered.join()}, and not ${wanted.join()}.`);
    }
  }
}

function reduceSafely(stored: readonly SessionEvent[], sessionId: string): ReturnType<typeof reduceEvents> {
  try {
    return reduceEvents(undefined, stored, sessionId);
  } catch {
    // Said already: the log has a gap.
    return undefined;
  }
}

/** A branch begins with the other session's log, to the end of the turn. */
export function judgeBranch({ stored, origin }: SessionEvidence, add: Add): void {
  const at = stored.findIndex(({ body }) => body.type === 'sessionBranched');
  const body = stored[at]?.body;
  if (!origin || body?.type !== 'sessionBranched') {
    if (origin) {
      add('lost', 'The branch does not say that it is one.');
    }
    return;
  }
  const last = stored[at - 1]?.body;
  const isWhole = last?.type === 'turnFinished' && last.turn === body.turn;
  const isSame = stored.slice(0, at).every((event, index) => JSON.stringify(event) === JSON.stringify(origin[index]));
  if (!isWhole || !isSame) {
    add('broken', `The branch does not begin with the log up to turn ${body.turn} of the other session.`);
  }
}
