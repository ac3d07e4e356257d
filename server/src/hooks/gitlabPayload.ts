import { z } from 'zod';
import { commandIn, type Address, type Issue, type Labels, type Trigger } from './trigger.ts';

/* What GitLab's webhooks say. Issues and merge requests are counted apart there. Pure. */

const textSchema = z
  .string()
  .nullish()
  .transform(text => text ?? '');
const labelsSchema = z
  .array(z.object({ title: z.string() }))
  .nullish()
  .transform(labels => labels?.map(({ title }) => title) ?? []);
const numbered = z.object({ iid: z.int().positive() });

const addressSchema = z.object({
  project: z.object({ path_with_namespace: z.string() }).optional(),
  object_attributes: z.object({ action: z.string().nullish(), iid: z.int().optional() }).optional(),
  issue: numbered.optional(),
  merge_request: numbered.optional(),
});

const base = {
  project: z.object({ web_url: z.string() }),
  user: z.object({ id: z.int().nullish(), username: z.string() }),
};
const textsSchema = numbered.extend({ title: textSchema, description: textSchema, author_id: z.int().nullish() });
const issueSchema = z.object({
  ...base,
  object_attributes: textsSchema.extend({ state: z.string(), action: textSchema, updated_at: textSchema }),
  labels: labelsSchema,
  changes: z.object({ labels: z.object({ previous: labelsSchema, current: labelsSchema }).nullish() }).nullish(),
});
const noteSchema = z.object({
  ...base,
  object_attributes: z.object({
    id: z.int(),
    note: textSchema,
    noteable_type: z.string(),
    type: textSchema,
    url: z.string(),
    created_at: textSchema,
    system: z.boolean().nullish(),
    internal: z.boolean().nullish(),
  }),
  issue: textsSchema.optional(),
  merge_request: textsSchema.optional(),
});
const mergeSchema = z.object({
  ...base,
  object_attributes: numbered.extend({ action: textSchema, updated_at: textSchema }),
});

type From = Pick<Trigger, 'repositoryUrl' | 'by' | 'isBot'>;

const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  issue: ['open', 'update'],
  // Older ones tell of new ones only, and do not say so.
  note: ['create', ''],
  merge_request: ['merge', 'close'],
};

/** The users of project and group access tokens, service accounts, and GitLab's own. */
const BOT = /^((project|group)_\d+_bot|service_account_|support-bot$|alert-bot$|ghost$)/i;

const UNREADABLE = { ignored: 'It lacks what GitLab promises of such an event.' };

/** The order that a delivery is worked off in, and why not when nothing is ever done about such a one. */
export function addressOf(event: string, payload: unknown): Address {
  const data = addressSchema.safeParse(payload).data ?? {};
  const repository = data.project?.path_with_namespace;
  const action = data.object_attributes?.action ?? '';
  const isOfUse = Object.hasOwn(ACTIONS, event) && ACTIONS[event]?.includes(action);
  return {
    action: action === '' ? undefined : action,
    repository,
    lane: `${repository ?? ''}${numberIn(event, data)}`.toLowerCase(),
    ...(isOfUse ? {} : { reason: `Nothing is done about ${event}${action === '' ? '' : ` ${action}`}.` }),
  };
}

function numberIn(
  event: string,
  { object_attributes: attributes, issue, merge_request: merge }: z.infer<typeof addressSchema>,
): string {
  if (event === 'merge_request' || merge) {
    return `!${merge?.iid ?? attributes?.iid ?? ''}`;
  }
  const number = issue?.iid ?? attributes?.iid;
  return number === undefined ? '' : `#${number}`;
}

/** @returns a sentence when there is nothing to do */
export function triggerOf(event: string, payload: unknown): Trigger | { ignored: string } {
  switch (event) {
    case 'issue':
      return labelled(payload);
    case 'note':
      return commented(payload);
    case 'merge_request':
      return ended(payload);
    default:
      return { ignored: `Nothing is done about ${event}.` };
  }
}

function labelled(payload: unknown): Trigger | { ignored: string } {
  const told = issueSchema.safeParse(payload).data;
  if (!told) {
    return UNREADABLE;
  }
  const { object_attributes: attributes } = told;
  if (attributes.state !== 'opened') {
    return { ignored: 'Only an open issue begins a session by its label.' };
  }
  return {
    ...from(told),
    kind: 'issues',
    issue: issueOf(told, attributes),
    labels: given(told),
    at: attributes.updated_at,
  };
}

/** What is new among the labels. */
function given({ object_attributes: { action }, labels, changes }: z.infer<typeof issueSchema>): Labels {
  const before = changes?.labels?.previous ?? [];
  const now = action === 'open' ? labels : (changes?.labels?.current ?? []);
  return { names: now.filter(name => !before.includes(name)) };
}

function commented(payload: unknown): Trigger | { ignored: string } {
  const told = noteSchema.safeParse(payload).data;
  if (!told) {
    return UNREADABLE;
  }
  const { object_attributes: note, issue, merge_request: merge } = told;
  if (note.system === true || note.internal === true) {
    return { ignored: note.system === true ? 'GitLab wrote it.' : 'What is internal is answered nowhere.' };
  }
  if (note.noteable_type === 'MergeRequest' && merge && note.type === 'DiffNote') {
    const review = { id: note.id, url: note.url, at: note.created_at };
    return { ...from(told), kind: 'reviews', pull: pullOf(told, merge), review };
  }
  const about = note.noteable_type === 'MergeRequest' ? merge : note.noteable_type === 'Issue' ? issue : undefined;
  if (!about || !commandIn(note.note)) {
    return { ignored: 'The comment does not ask @sandpiper for anything.' };
  }
  const isPull = about === merge;
  return {
    ...from(told),
    kind: 'comments',
    issue: isPull ? { ...issueOf(told, about), url: pullOf(told, about).url } : issueOf(told, about),
    isPull,
    comment: { id: note.id, body: note.note, url: note.url },
  };
}

function ended(payload: unknown): Trigger | { ignored: string } {
  const told = mergeSchema.safeParse(payload).data;
  if (!told) {
    return UNREADABLE;
  }
  const { action, updated_at: at } = told.object_attributes;
  return { ...from(told), kind: 'close', pull: pullOf(told, told.object_attributes), merged: action === 'merge', at };
}

type Told = z.infer<z.ZodObject<typeof base>>;

function from({ project, user }: Told): From {
  return { repositoryUrl: project.web_url, by: user.username, isBot: BOT.test(user.username) };
}

function issueOf(
  { project, user }: Told,
  { iid, title, description, author_id: author }: z.infer<typeof textsSchema>,
): Issue {
  // GitLab names only who did it now.
  const isOwn = author !== undefined && author !== null && author === user.id;
  return {
    number: iid,
    title,
    body: description,
    url: `${project.web_url}/-/issues/${iid}`,
    author: isOwn ? user.username : `user ${author ?? 'unknown'}`,
  };
}

function pullOf({ project }: Told, { iid }: { iid: number }): { number: number; url: string } {
  return { number: iid, url: `${project.web_url}/-/merge_requests/${iid}` };
}
