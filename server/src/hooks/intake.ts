import type { HookConnection } from '../../../protocol/hookCalls.ts';
import type { ForgeRepository } from '../forges/forge.ts';
import type { NewRequest } from '../store/hookStore.ts';
import { isOurs, sessionOfSubject, type HookContext } from './context.ts';
import type { Handled } from './deliveries.ts';
import type { HookDialect } from './dialect.ts';
import { commandIn, type Labels, type ReviewTrigger, type Trigger } from './trigger.ts';
import { readRequestData, type Ask, type RequestData } from './requestData.ts';

/**
 * Decides what a delivery asks for, and whether whoever sent it may: the forge is asked for that, never the payload. What
 * was written is taken from the payload, as it stood when it was triggered.
 */
export async function takeIn(
  context: HookContext,
  dialect: HookDialect,
  { event, payload }: { event: string; payload: unknown },
): Promise<Handled> {
  const trigger = dialect.triggerOf(event, payload);
  if ('ignored' in trigger) {
    return ignored(trigger.ignored);
  }
  // Who has the secret of one forge speaks for no other.
  return context.repositoryAt(trigger.repositoryUrl)?.forge === dialect.forge
    ? takeTrigger(context, trigger)
    : ignored(`The repository is at no ${dialect.forge} that this relay knows.`);
}

/** The same for what this relay found by looking itself. */
export async function takeTrigger(context: HookContext, trigger: Trigger): Promise<Handled> {
  const connection = await context.connections.find(trigger.repositoryUrl);
  const repository = context.repositoryAt(trigger.repositoryUrl);
  if (!connection || !repository) {
    return ignored('This repository is not connected: see `sandpiper hooks connect`.');
  }
  if (!connection.triggers.includes(trigger.kind)) {
    return ignored(`The connection of this repository leaves out ${trigger.kind}.`);
  }
  const refusal = refusalOf(trigger, connection);
  if (refusal !== undefined) {
    return ignored(refusal);
  }
  const begun = await begin(context, trigger, repository);
  if ('ignored' in begun) {
    return ignored(begun.ignored);
  }
  // Failed checks and the end of a pull request are facts about our own work; nobody's words come with them.
  const isSaid = trigger.kind !== 'checks' && trigger.kind !== 'close';
  if (isSaid && !(await context.colleague.mayWrite(await context.place(repository), trigger.by))) {
    return ignored(`${trigger.by} may not write to this repository.`);
  }
  return { kind: 'requested', request: toRequest(begun, repository, trigger.by) };
}

/** What is refused without looking further. */
function refusalOf(trigger: Trigger, connection: HookConnection): string | undefined {
  const text =
    trigger.kind === 'comments' ? trigger.comment.body : trigger.kind === 'reviews' ? trigger.review.body : '';
  if (isOurs(text ?? '')) {
    return 'Sandpiper wrote it.';
  }
  if (trigger.isBot && trigger.kind !== 'checks' && trigger.kind !== 'close') {
    return `${trigger.by} is a bot.`;
  }
  return trigger.kind === 'issues' && !hasName(trigger.labels, connection.label)
    ? `The label "${trigger.labels.names.join('", "')}" begins nothing.`
    : undefined;
}

function hasName({ names }: Labels, name: string): boolean {
  return names.some(one => one.toLowerCase() === name.toLowerCase());
}

const NOT_OURS = { ignored: 'It is not a pull request that a session of a webhook opened.' };

interface Begun {
  ask: Ask;
  /** One for each thing that a person did, however often it is told. */
  key: string;
  number: number;
}

async function begin(
  context: HookContext,
  trigger: Trigger,
  repository: ForgeRepository,
): Promise<Begun | { ignored: string }> {
  switch (trigger.kind) {
    case 'issues':
      return beginByLabel(context, trigger, repository);
    case 'comments':
      return beginByComment(context, trigger);
    case 'reviews':
      return beginByReview(context, trigger, repository);
    case 'checks':
      return beginByChecks(context, trigger);
    case 'close': {
      const { pull, merged, at } = trigger;
      const ask: Ask = { kind: 'close', pull, merged };
      return ofOurs(context, pull.url, { ask, key: `#${pull.number} closed ${at}`, number: pull.number });
    }
  }
}

async function beginByLabel(
  context: HookContext,
  { issue, labels, at }: Extract<Trigger, { kind: 'issues' }>,
  repository: ForgeRepository,
): Promise<Begun | { ignored: string }> {
  const subject = subjectOf(repository, { number: issue.number, isPull: false });
  const key = `#${issue.number} labelled ${at}`;
  const others = (await context.store.listRequests({ subject, limit: 50 })).filter(
    request => request.key !== keyOf(repository, key),
  );
  if (labels.unsure === true && others.some(({ data }) => isByLabel(readRequestData(data)))) {
    return { ignored: 'The label began a session before, and the forge does not say whether it is new.' };
  }
  const open = others.find(request => request.state === 'open');
  const session = open ? undefined : await sessionOfSubject(context, subject);
  if (open || session !== undefined) {
    return { ignored: `It is worked on already${session === undefined ? '' : ` in ${session}`}.` };
  }
  return { ask: { kind: 'issue', ...issue }, key, number: issue.number };
}

function isByLabel({ ask }: RequestData): boolean {
  return ask.kind === 'issue' && ask.comment === undefined;
}

async function beginByReview(
  context: HookContext,
  trigger: Extract<Trigger, { kind: 'reviews' }>,
  repository: ForgeRepository,
): Promise<Begun | { ignored: string }> {
  const { pull } = trigger;
  const { number, url } = pull;
  if ((await context.sessionOfPull(url)) === undefined) {
    return NOT_OURS;
  }
  const review = await namedReview(context, trigger, repository);
  return review
    ? { ask: { kind: 'review', pull, review }, key: reviewKey(review.id), number }
    : { ignored: 'The review is not there any more.' };
}

/** With what its forge left out: which one it is, and when it was submitted. */
async function namedReview(
  context: HookContext,
  { pull, review, by }: Extract<Trigger, { kind: 'reviews' }>,
  repository: ForgeRepository,
): Promise<(ReviewTrigger & { id: number }) | undefined> {
  const { id, ...told } = review;
  if (id !== undefined) {
    return { ...told, id };
  }
  const reviews = await context.colleague.listReviews(await context.place(repository), pull.number);
  const same = reviews.filter(
    one => one.by.toLowerCase() === by.toLowerCase() && one.body.trim() === (told.body ?? '').trim(),
  );
  // Several with the same words, or with none, are told of one after the other.
  let found = same.at(-1);
  for (const one of same.toReversed()) {
    const known = await context.store.readRequest(keyOf(repository, reviewKey(one.id)));
    found = known ? found : one;
  }
  return found && { ...told, id: found.id, url: found.url, at: found.at };
}

function reviewKey(id: number): string {
  return `review ${id}`;
}

async function beginByComment(
  context: HookContext,
  { issue, isPull, comment }: Extract<Trigger, { kind: 'comments' }>,
): Promise<Begun | { ignored: string }> {
  const key = `comment ${comment.id}`;
  const { number, url } = issue;
  return isPull
    ? ofOurs(context, url, { ask: { kind: 'comment', pull: { number, url }, comment }, key, number })
    : { ask: { kind: 'issue', ...issue, comment }, key, number };
}

/** By the commit: it is one that this relay pushed, so nobody else's code is what fails. */
async function beginByChecks(
  context: HookContext,
  { headCommit }: Extract<Trigger, { kind: 'checks' }>,
): Promise<Begun | { ignored: string }> {
  const pull = await context.pullOfCommit(headCommit);
  return pull
    ? { ask: { kind: 'checks', pull, headCommit }, key: `checks ${headCommit}`, number: pull.number }
    : { ignored: 'It is not the head of a pull request that a session of a webhook opened.' };
}

async function ofOurs(context: HookContext, url: string, begun: Begun): Promise<Begun | { ignored: string }> {
  return (await context.sessionOfPull(url)) === undefined ? NOT_OURS : begun;
}

function toRequest({ ask, key, number }: Begun, repository: ForgeRepository, by: string): NewRequest {
  const data: RequestData = { stage: 'accepted', repository, by, ask };
  return {
    key: keyOf(repository, key),
    subject: subjectOf(repository, { number, isPull: ask.kind !== 'issue' }),
    at: Date.now(),
    data: JSON.stringify(data),
  };
}

/** The issue or pull request, as one word. GitLab counts them apart. */
export function subjectOf(
  { forge, host, owner, name }: ForgeRepository,
  { number, isPull }: { number: number; isPull: boolean },
): string {
  return `${host}/${owner}/${name}${isPull && forge === 'gitlab' ? '!' : '#'}${number}`.toLowerCase();
}

function keyOf({ host, owner, name }: ForgeRepository, what: string): string {
  return `${host}/${owner}/${name} ${what}`.toLowerCase();
}

/** Whether a comment wants a session of its own, though there is one. */
export function wantsAnew(ask: Extract<Ask, { kind: 'issue' }>): boolean {
  return ask.comment !== undefined && commandIn(ask.comment.body)?.again === true;
}

function ignored(reason: string): Handled {
  return { kind: 'ignored', reason };
}
