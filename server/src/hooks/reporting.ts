import { toSandpiperError } from '../../../protocol/errors.ts';
import type { Place, Reaction, ReactionTarget } from '../forges/colleague.ts';
import { readAnswers } from '../review/itemAnswers.ts';
import type { HookContext } from './context.ts';
import { patchOf } from './patch.ts';
import { handOverText, issueText, threadText, turnText } from './sayings.ts';
import type { RequestData } from './requestData.ts';

/* What people on the forge get to see of a request. Everything may be repeated, and stands there once. */

/** A reaction is a courtesy: only what may pass by itself is a failure. */
export async function react(
  { colleague, log }: HookContext,
  place: Place,
  target: ReactionTarget,
  reaction: Reaction,
): Promise<void> {
  try {
    await colleague.react(place, target, reaction);
  } catch (error) {
    const { retryable, message } = toSandpiperError(error);
    if (retryable) {
      throw error;
    }
    log.log('warn', 'hooks', `There is no reaction: ${message}`);
  }
}

/** Says once for a request that a person is needed. */
export async function sayHandOver(
  context: HookContext,
  place: Place,
  key: string,
  { number, sessionId, why }: { number: number; sessionId: string; why: string },
): Promise<void> {
  const body = handOverText(sessionId, why);
  await context.colleague.say(place, { number, isPull: true, marker: context.marker(`${key} hand over`), body });
}

/** Tells what came of a request whose turn is over and whose changes are pushed, where there were any. */
export async function report(
  context: HookContext,
  place: Place,
  { key, sessionId }: { key: string; sessionId: string },
  data: RequestData,
): Promise<void> {
  const { colleague } = context;
  const { ask, outcome, landed } = data;
  const marker = context.marker(key);
  const isWell = outcome?.kind === 'completed';
  switch (ask.kind) {
    case 'issue': {
      const { number, comment } = ask;
      const on = { number, isPull: false };
      const patch = await patchOf(context, sessionId, data);
      await colleague.say(place, { ...on, marker, body: `${issueText(sessionId, data)}${patch}` });
      const target: ReactionTarget = comment ? { kind: 'comment', id: comment.id, on } : { kind: 'issue', number };
      return react(context, place, target, isWell ? 'rocket' : 'confused');
    }
    case 'comment': {
      const on = { number: ask.pull.number, isPull: true };
      const patch = await patchOf(context, sessionId, data);
      await colleague.say(place, { ...on, marker, body: `${turnText(data)}${patch}` });
      return react(context, place, { kind: 'comment', id: ask.comment.id, on }, isWell ? 'rocket' : 'confused');
    }
    case 'review':
      return reportReview(context, place, key, data);
    case 'checks':
      if (!isWell || !landed) {
        const why = outcome?.reason ?? 'the agent found nothing in this repository to repair.';
        await sayHandOver(context, place, key, { number: ask.pull.number, sessionId, why });
      }
      return;
    case 'close':
      return;
  }
}

/** In the threads, each for itself; what is about all of it stands in a comment. */
async function reportReview(context: HookContext, place: Place, key: string, data: RequestData): Promise<void> {
  const { ask, outcome, landed, items = [] } = data;
  if (ask.kind !== 'review') {
    return;
  }
  const { number } = ask.pull;
  const isWell = outcome?.kind === 'completed';
  const answers = readAnswers(outcome?.text ?? '', new Set(items.map(({ label }) => label)));
  for (const { label, id, threadId } of isWell ? items : []) {
    await context.colleague.answer(place, {
      number,
      reviewCommentId: threadId,
      marker: context.marker(`${key} ${id}`),
      body: threadText(answers.get(label), landed?.commit),
    });
    await context.pace();
  }
  if (!isWell || items.length === 0 || (ask.review.body ?? '').trim() !== '') {
    await context.colleague.say(place, { number, isPull: true, marker: context.marker(key), body: turnText(data) });
  }
  for (const { id } of items) {
    await react(context, place, { kind: 'reviewComment', id, pull: number }, isWell ? 'rocket' : 'confused');
  }
}
