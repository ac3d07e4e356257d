import type { HookConnection } from '../../../protocol/hookCalls.ts';
import type { ForgeRepository } from '../forges/forge.ts';
import type { NewRequest } from '../store/hookStore.ts';
import { isOurs, sessionOfSubject, type HookContext } from './context.ts';
import type { Handled } from './deliveries.ts';
import { commandIn, triggerOf, type Trigger } from './githubPayload.ts';
import type { Ask, RequestData } from './requestData.ts';

/**
 * Decides what a delivery asks for, and whether whoever sent it may: the forge is asked for that, never the payload. What
 * was written is taken from the payload, as it stood when it was triggered.
 */
export async function takeIn(context: HookContext, event: string, payload: unknown): Promise<Handled> {
  const trigger = triggerOf(event, payload);
  return 'ignored' in trigger ? ignored(trigger.ignored) : takeTrigger(context, trigger);
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
  return trigger.kind === 'issues' && trigger.label.toLowerCase() !== connection.label.toLowerCase()
    ? `The label "${trigger.label}" begins nothing.`
    : undefined;
}

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
    case 'reviews': {
      const { pull, review } = trigger;
      const ask: Ask = { kind: 'review', pull, review };
      return ofOurs(context, pull.url, { ask, key: `review ${review.id}`, number: pull.number });
    }
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
  { issue, at }: Extract<Trigger, { kind: 'issues' }>,
  repository: ForgeRepository,
): Promise<Begun | { ignored: string }> {
  const subject = subjectOf(repository, issue.number);
  const key = `#${issue.number} labelled ${at}`;
  const open = (await context.store.listRequests({ subject, limit: 10 })).find(
    request => request.state === 'open' && request.key !== keyOf(repository, key),
  );
  const session = open ? undefined : await sessionOfSubject(context, subject);
  if (open || session !== undefined) {
    return { ignored: `It is worked on already${session === undefined ? '' : ` in ${session}`}.` };
  }
  return { ask: { kind: 'issue', ...issue }, key, number: issue.number };
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
  return (await context.sessionOfPull(url)) === undefined
    ? { ignored: 'It is not a pull request that a session of a webhook opened.' }
    : begun;
}

function toRequest({ ask, key, number }: Begun, repository: ForgeRepository, by: string): NewRequest {
  const data: RequestData = { stage: 'accepted', repository, by, ask };
  return {
    key: keyOf(repository, key),
    subject: subjectOf(repository, number),
    at: Date.now(),
    data: JSON.stringify(data),
  };
}

/** The issue or pull request, as one word. */
export function subjectOf({ host, owner, name }: ForgeRepository, number: number): string {
  return `${host}/${owner}/${name}#${number}`.toLowerCase();
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
