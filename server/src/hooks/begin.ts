import { createHash } from 'node:crypto';
import type { HookConnection } from '../../../protocol/hookCalls.ts';
import type { Origin } from '../../../protocol/origin.ts';
import type { Place, ReactionTarget, ReviewComment } from '../forges/colleague.ts';
import type { RequestRow } from '../store/hookStore.ts';
import { isOurs, sessionOfSubject, sessionState, type HookContext } from './context.ts';
import { wantsAnew } from './intake.ts';
import { checksPrompt, commentPrompt, issuePrompt, reviewPrompt } from './prompts.ts';
import { react, sayHandOver } from './reporting.ts';
import { readRequestData, type Ask, type RequestData } from './requestData.ts';
import { visibleText } from './untrusted.ts';

/* What a request begins: a session, a turn, an archive. Every step may be repeated. */

/** What comes of one step. `wait` lasts until a session changes. */
export type Progress = { kind: 'wait' } | { kind: 'on'; data: RequestData; sessionId?: string };

type Row = Pick<RequestRow, 'key' | 'subject' | 'at'>;
type Of<Kind extends Ask['kind']> = Extract<Ask, { kind: Kind }>;

/** A review says when it was submitted in whole seconds, and its comments are written in the same moment. */
const SAME_MOMENT_MS = 5_000;
const MAX_ITEMS = 50;

export async function begin(context: HookContext, row: Row, data: RequestData): Promise<Progress> {
  const { host, owner, name } = data.repository;
  const connection = await context.connections.find(`https://${host}/${owner}/${name}`);
  if (!connection) {
    return over(data, 'The repository is not connected any more.');
  }
  const place = await context.place(data.repository);
  const { ask } = data;
  switch (ask.kind) {
    case 'issue':
      return beginIssue(context, row, { data, ask, place, connection });
    case 'comment':
      return beginComment(context, row, { data, ask, place });
    case 'review':
      return beginReview(context, row, { data, ask, place });
    case 'checks':
      return beginRepair(context, row, { data, ask, place, connection });
    case 'close': {
      const sessionId = await context.sessionOfPull(ask.pull.url);
      if (sessionId === undefined) {
        return over(data, 'Its session is archived already.');
      }
      const state = await sessionState(context, sessionId);
      if (state?.pullRequest) {
        // An archived session is not looked at any more, and says how it ended.
        await context.lookAt(sessionId, state.pullRequest);
      }
      await context.call('session.archive', { sessionId, archived: true, key: callKey(row.key, 'archive') });
      return { ...over(data, `Pull request #${ask.pull.number} was ${ask.merged ? 'merged' : 'closed'}.`), sessionId };
    }
  }
}

async function beginIssue(
  context: HookContext,
  row: Row,
  { data, ask, place, connection }: { data: RequestData; ask: Of<'issue'>; place: Place; connection: HookConnection },
): Promise<Progress> {
  await react(context, place, issueTarget(ask), 'eyes');
  const origin = originOf(data, { kind: 'issue', number: ask.number, url: ask.comment?.url ?? ask.url });
  const known = wantsAnew(ask) ? undefined : await sessionOfSubject(context, row.subject);
  if (known !== undefined) {
    return ask.comment
      ? send(context, row, data, {
          sessionId: known,
          origin: { ...origin, kind: 'comment' },
          text: commentPrompt(row.key, `issue #${ask.number}`, ask.comment.body, data.by),
        })
      : over(data, `It is worked on already in ${known}.`);
  }
  const { owner, name } = place.repository;
  const { source, budgetUsd, permissionMode, provider, model } = connection;
  const { sessionId } = await context.call('session.create', {
    key: callKey(row.key, 'create'),
    source,
    base: connection.base ?? (await context.defaultBranch(place)),
    prompt: issuePrompt(row.key, `${owner}/${name}`, ask, data.by),
    title: titleOf(ask),
    provider,
    permissionMode,
    ...(model === undefined ? {} : { model }),
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
    origin,
  });
  const state = await sessionState(context, sessionId);
  const messageId = state?.turns[0]?.messageIds[0] ?? state?.items.find(item => item.kind === 'message')?.id;
  return messageId === undefined
    ? over(data, 'The session was deleted.')
    : { kind: 'on', sessionId, data: { ...data, stage: 'working', messageId, begins: true } };
}

async function beginComment(
  context: HookContext,
  row: Row,
  { data, ask, place }: { data: RequestData; ask: Of<'comment'>; place: Place },
): Promise<Progress> {
  const sessionId = await context.sessionOfPull(ask.pull.url);
  if (sessionId === undefined) {
    return over(data, 'Its session is archived.');
  }
  await react(
    context,
    place,
    { kind: 'comment', id: ask.comment.id, on: { number: ask.pull.number, isPull: true } },
    'eyes',
  );
  return send(context, row, data, {
    sessionId,
    origin: originOf(data, { kind: 'comment', number: ask.pull.number, url: ask.comment.url }),
    text: commentPrompt(row.key, `pull request #${ask.pull.number}`, ask.comment.body, data.by),
  });
}

async function beginReview(
  context: HookContext,
  row: Row,
  { data, ask, place }: { data: RequestData; ask: Of<'review'>; place: Place },
): Promise<Progress> {
  const { pull } = ask;
  const sessionId = await context.sessionOfPull(pull.url);
  if (sessionId === undefined) {
    return over(data, 'Its session is archived.');
  }
  const told =
    ask.review.body === undefined
      ? (await context.colleague.listReviews(place, pull.number)).find(({ id }) => id === ask.review.id)
      : undefined;
  const review = { ...ask.review, ...told };
  const items = await itemsOf(context, place, pull.number, review);
  const body = isOurs(review.body ?? '') ? '' : (review.body ?? '');
  if (items.length === 0 && (body.trim() === '' || review.approves === true)) {
    return over(data, review.approves === true ? 'It was approved.' : 'It asks for nothing.');
  }
  for (const { comment } of items) {
    await react(context, place, { kind: 'reviewComment', id: comment.id, pull: pull.number }, 'eyes');
  }
  const named = items.map(({ label, comment }) => ({ label, id: comment.id, threadId: comment.threadId }));
  return send(
    context,
    row,
    { ...data, items: named },
    {
      sessionId,
      origin: originOf(data, { kind: 'review', number: pull.number, url: ask.review.url }),
      text: reviewPrompt(row.key, pull.number, { body, by: data.by }, items),
    },
  );
}

/** What was changed after the review was submitted is left out: whoever may have asked for it did not see it so. */
async function itemsOf(
  context: HookContext,
  place: Place,
  number: number,
  { id, at }: { id: number; at: string },
): Promise<{ label: string; comment: ReviewComment }[]> {
  const comments = await context.colleague.listReviewComments(place, number, id);
  return comments
    .filter(({ body, updatedAt }) => !isOurs(body) && updatedAt <= Date.parse(at) + SAME_MOMENT_MS)
    .slice(0, MAX_ITEMS)
    .map((comment, index) => ({ label: `C${index + 1}`, comment }));
}

async function beginRepair(
  context: HookContext,
  row: Row,
  { data, ask, place, connection }: { data: RequestData; ask: Of<'checks'>; place: Place; connection: HookConnection },
): Promise<Progress> {
  const { pull, headCommit } = ask;
  const sessionId = await context.sessionOfPull(pull.url);
  const now = await context.colleague.readPullRequest(place, pull.number);
  if (sessionId === undefined || now.state === 'closed') {
    return over(data, 'The pull request is closed.');
  }
  if (now.headCommit !== headCommit) {
    return over(data, 'There is a newer commit.');
  }
  const state = await sessionState(context, sessionId);
  if (state?.phase.kind === 'blocked') {
    return over(data, 'The session waits for a person.');
  }
  // What is under way may be the repair already; if it is not, it is tried after that.
  if (state?.phase.kind !== 'idle' || state.items.some(item => item.kind === 'message' && item.delivery === 'queued')) {
    return { kind: 'wait' };
  }
  const checks = await context.colleague.failedChecks(place, headCommit);
  if (checks.length === 0) {
    return over(data, 'They pass by now.');
  }
  const attempt = (await repairsInARow(context, row)) + 1;
  if (attempt > connection.maxRepairs) {
    const names = checks.map(({ name }) => name).join(', ');
    const why = `${names} still fail${checks.length === 1 ? 's' : ''} after ${connection.maxRepairs} attempts to repair it.`;
    await sayHandOver(context, place, row.key, { number: pull.number, sessionId, why });
    return { ...over(data, why), sessionId };
  }
  return send(context, row, data, {
    sessionId,
    origin: originOf(data, { kind: 'checks', number: pull.number, url: checks[0]?.url || pull.url }),
    text: checksPrompt(row.key, pull.number, `attempt ${attempt} of ${connection.maxRepairs}`, checks),
  });
}

/** Since a person last said something about the pull request. */
async function repairsInARow(context: HookContext, { subject, key }: Row): Promise<number> {
  const earlier = (await context.store.listRequests({ subject, limit: 100 })).filter(one => one.key !== key);
  let count = 0;
  for (const { data } of earlier) {
    const { ask, messageId } = readRequestData(data);
    if (ask.kind === 'comment' || ask.kind === 'review') {
      break;
    }
    count += ask.kind === 'checks' && messageId !== undefined ? 1 : 0;
  }
  return count;
}

async function send(
  context: HookContext,
  row: Row,
  data: RequestData,
  { sessionId, text, origin }: { sessionId: string; text: string; origin: Origin },
): Promise<Progress> {
  const key = callKey(row.key, 'send');
  const { messageId } = await context.call('session.send', { sessionId, key, text, origin });
  return { kind: 'on', sessionId, data: { ...data, stage: 'working', messageId } };
}

/** An idempotency key: a repeat after a kill is the same call. */
export function callKey(requestKey: string, what: string): string {
  return `hook-${what}-${createHash('sha256').update(requestKey).digest('hex').slice(0, 48)}`;
}

export function over(data: RequestData, note: string): Extract<Progress, { kind: 'on' }> {
  return { kind: 'on', data: { ...data, stage: 'done', note } };
}

export function issueTarget({ number, comment }: Of<'issue'>): ReactionTarget {
  return comment ? { kind: 'comment', id: comment.id, on: { number, isPull: false } } : { kind: 'issue', number };
}

function originOf({ repository, by }: RequestData, what: Pick<Origin, 'kind' | 'number' | 'url'>): Origin {
  return { forge: repository.forge, by, ...what };
}

function titleOf({ title, number }: Of<'issue'>): string {
  return visibleText(title).replace(/\s+/g, ' ').trim().slice(0, 180) || `Issue #${number}`;
}
