import { z } from 'zod';
import { addressOf as githubAddressOf, triggerOf as githubTriggerOf } from './githubPayload.ts';
import type { Address, Labels, Trigger } from './trigger.ts';

/* What the webhooks of Gitea and Forgejo say. Much of it is in GitHub's words. Pure. */

const labelsSchema = z
  .array(z.object({ name: z.string() }))
  .nullish()
  .transform(labels => labels?.map(({ name }) => name));
const textSchema = z
  .string()
  .nullish()
  .transform(text => text ?? '');
const repositorySchema = z.object({ html_url: z.string() });
const senderSchema = z.object({ login: z.string() });

const labelledSchema = z.object({
  action: z.string(),
  repository: repositorySchema,
  sender: senderSchema,
  issue: z.object({
    number: z.int().positive(),
    title: textSchema,
    body: textSchema,
    html_url: z.string(),
    state: z.string(),
    updated_at: z.string(),
    user: senderSchema.nullish(),
    labels: labelsSchema,
    pull_request: z.looseObject({}).nullish(),
  }),
  changes: z.object({ added_labels: labelsSchema, removed_labels: labelsSchema }).nullish(),
});
const reviewedSchema = z.object({
  repository: repositorySchema,
  sender: senderSchema,
  pull_request: z.object({ number: z.int().positive(), html_url: z.string() }),
  review: z.object({ type: textSchema, content: textSchema }),
});

/** Their programs that act by themselves have these names. */
const BOTS = ['gitea-actions', 'forgejo-actions', 'ghost'];

const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  issues: ['opened', 'label_updated'],
  issue_comment: ['created'],
  // A comment by newer ones, a review by all.
  pull_request_comment: ['created', 'reviewed'],
  pull_request_approved: ['reviewed'],
  pull_request_rejected: ['reviewed'],
  pull_request: ['closed'],
};

const UNREADABLE = { ignored: 'It lacks what Gitea promises of such an event.' };

export function addressOf(event: string, payload: unknown): Address {
  const { reason: _reason, ...address } = githubAddressOf(event, payload);
  const { action = '' } = address;
  return Object.hasOwn(ACTIONS, event) && ACTIONS[event]?.includes(action)
    ? address
    : { ...address, reason: `Nothing is done about ${event}${action === '' ? '' : ` ${action}`}.` };
}

/** @returns a sentence when there is nothing to do */
export function triggerOf(event: string, payload: unknown): Trigger | { ignored: string } {
  const trigger = readTrigger(event, payload);
  return 'ignored' in trigger ? trigger : { ...trigger, isBot: trigger.isBot || BOTS.includes(trigger.by) };
}

function readTrigger(event: string, payload: unknown): Trigger | { ignored: string } {
  if (addressOf(event, payload).reason !== undefined) {
    return { ignored: `Nothing is done about ${event}.` };
  }
  if (event === 'issues') {
    return labelled(payload);
  }
  if (event === 'pull_request') {
    return githubTriggerOf('pull_request', payload);
  }
  return reviewedSchema.safeParse(payload).success ? reviewed(payload) : githubTriggerOf('issue_comment', payload);
}

function labelled(payload: unknown): Trigger | { ignored: string } {
  const told = labelledSchema.safeParse(payload).data;
  if (!told) {
    return UNREADABLE;
  }
  const { repository, sender, issue } = told;
  if (issue.pull_request || issue.state !== 'open') {
    return { ignored: 'Only an open issue begins a session by its label.' };
  }
  const { number, title, body, html_url: url, user, updated_at: at } = issue;
  return {
    kind: 'issues',
    repositoryUrl: repository.html_url,
    by: sender.login,
    isBot: sender.login.endsWith('[bot]'),
    issue: { number, title, body, url, author: user?.login ?? 'ghost' },
    labels: givenLabels(told),
    at,
  };
}

/** Older ones say only which labels there are now. */
function givenLabels({ action, issue, changes }: z.infer<typeof labelledSchema>): Labels {
  const there = { names: issue.labels ?? [] };
  if (action === 'opened') {
    return there;
  }
  const isSaid = changes?.added_labels !== undefined || changes?.removed_labels !== undefined;
  return isSaid ? { names: changes?.added_labels ?? [] } : { ...there, unsure: true };
}

function reviewed(payload: unknown): Trigger | { ignored: string } {
  const told = reviewedSchema.safeParse(payload).data;
  if (!told) {
    return UNREADABLE;
  }
  const { repository, sender, pull_request: pull, review } = told;
  return {
    kind: 'reviews',
    repositoryUrl: repository.html_url,
    by: sender.login,
    isBot: sender.login.endsWith('[bot]'),
    pull: { number: pull.number, url: pull.html_url },
    // The time is that of the review, once it is found.
    review: { url: pull.html_url, body: review.content, approves: review.type.includes('approved'), at: '' },
  };
}
