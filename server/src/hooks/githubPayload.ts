import { z } from 'zod';
import { commandIn, type Address, type Issue, type Trigger } from './trigger.ts';

/* What GitHub's webhooks say, as far as something is done about it. Pure. */

const userSchema = z.object({ login: z.string(), type: z.string().optional() });
const repositorySchema = z.object({ full_name: z.string(), html_url: z.string() });
const textSchema = z
  .string()
  .nullish()
  .transform(text => text ?? '');

const addressSchema = z.object({
  action: z.string().optional(),
  repository: repositorySchema.partial().optional(),
  issue: z.object({ number: z.int() }).optional(),
  pull_request: z.object({ number: z.int() }).optional(),
});

const base = { repository: repositorySchema, sender: userSchema };
const issueSchema = z.object({
  number: z.int().positive(),
  title: textSchema,
  body: textSchema,
  html_url: z.string(),
  state: z.string(),
  updated_at: z.string(),
  user: userSchema.nullish(),
  pull_request: z.looseObject({}).nullish(),
});
const labeledSchema = z.object({ ...base, issue: issueSchema, label: z.object({ name: z.string() }) });
const commentedSchema = z.object({
  ...base,
  issue: issueSchema,
  comment: z.object({ id: z.int(), body: textSchema, html_url: z.string(), user: userSchema }),
});
const pullSchema = z.object({ number: z.int().positive(), html_url: z.string() });
const reviewedSchema = z.object({
  ...base,
  pull_request: pullSchema,
  review: z.object({
    id: z.int(),
    body: textSchema,
    state: z.string(),
    html_url: z.string(),
    user: userSchema.nullable(),
    submitted_at: z.string().nullish(),
  }),
});
const reviewCommentedSchema = z.object({
  ...base,
  pull_request: pullSchema,
  comment: z.object({
    pull_request_review_id: z.int().nullable(),
    html_url: z.string(),
    user: userSchema.nullable(),
    created_at: z.string(),
  }),
});
const checkedSchema = z.object({
  ...base,
  check_suite: z.object({ head_sha: z.string(), conclusion: z.string().nullable() }),
});
const ranSchema = z.object({
  ...base,
  workflow_run: z.object({ head_sha: z.string(), conclusion: z.string().nullable() }),
});
const closedSchema = z.object({
  ...base,
  pull_request: pullSchema.extend({ merged: z.boolean().nullish(), closed_at: z.string().nullish() }),
});

const ACTIONS: Readonly<Record<string, string>> = {
  issues: 'labeled',
  issue_comment: 'created',
  pull_request_review: 'submitted',
  pull_request_review_comment: 'created',
  check_suite: 'completed',
  workflow_run: 'completed',
  pull_request: 'closed',
};

const FAILED = ['failure', 'timed_out', 'startup_failure'];

export function addressOf(event: string, payload: unknown): Address {
  const { data } = addressSchema.safeParse(payload);
  const repository = data?.repository?.full_name;
  const number = data?.issue?.number ?? data?.pull_request?.number;
  const lane = `${repository ?? ''}${number === undefined ? '' : `#${number}`}`.toLowerCase();
  const action = data?.action;
  const isOfUse = Object.hasOwn(ACTIONS, event) && ACTIONS[event] === action;
  return {
    action,
    repository,
    lane,
    ...(isOfUse ? {} : { reason: `Nothing is done about ${event}${action === undefined ? '' : ` ${action}`}.` }),
  };
}

/** @returns a sentence when there is nothing to do */
export function triggerOf(event: string, payload: unknown): Trigger | { ignored: string } {
  switch (event) {
    case 'issues':
      return labeled(payload);
    case 'issue_comment':
      return commented(payload);
    case 'pull_request_review':
      return reviewed(payload);
    case 'pull_request_review_comment':
      return reviewCommented(payload);
    case 'check_suite':
      return checked(payload, read(checkedSchema, payload)?.check_suite);
    case 'workflow_run':
      return checked(payload, read(ranSchema, payload)?.workflow_run);
    case 'pull_request':
      return closed(payload);
    default:
      return { ignored: `Nothing is done about ${event}.` };
  }
}

const UNREADABLE = { ignored: 'It lacks what GitHub promises of such an event.' };

function labeled(payload: unknown): Trigger | { ignored: string } {
  const told = read(labeledSchema, payload);
  if (!told) {
    return UNREADABLE;
  }
  if (told.issue.pull_request || told.issue.state !== 'open') {
    return { ignored: 'Only an open issue begins a session by its label.' };
  }
  return {
    ...from(told),
    kind: 'issues',
    issue: issueOf(told.issue),
    labels: { names: [told.label.name] },
    at: told.issue.updated_at,
  };
}

function commented(payload: unknown): Trigger | { ignored: string } {
  const told = read(commentedSchema, payload);
  if (!told) {
    return UNREADABLE;
  }
  const { id, body, html_url: url, user } = told.comment;
  if (!commandIn(body)) {
    return { ignored: 'The comment does not ask @sandpiper for anything.' };
  }
  return {
    ...from({ ...told, sender: user }),
    kind: 'comments',
    issue: issueOf(told.issue),
    isPull: (told.issue.pull_request ?? undefined) !== undefined,
    comment: { id, body, url },
  };
}

function reviewed(payload: unknown): Trigger | { ignored: string } {
  const told = read(reviewedSchema, payload);
  if (!told) {
    return UNREADABLE;
  }
  const { id, body, state, html_url: url, user, submitted_at: at } = told.review;
  return {
    ...from({ ...told, sender: user ?? told.sender }),
    kind: 'reviews',
    pull: pullOf(told.pull_request),
    review: { id, url, body, approves: state.toLowerCase() === 'approved', at: at ?? new Date(0).toISOString() },
  };
}

function reviewCommented(payload: unknown): Trigger | { ignored: string } {
  const told = read(reviewCommentedSchema, payload);
  const id = told?.comment.pull_request_review_id;
  if (!told || typeof id !== 'number') {
    return UNREADABLE;
  }
  const { html_url: url, user, created_at: at } = told.comment;
  return {
    ...from({ ...told, sender: user ?? told.sender }),
    kind: 'reviews',
    pull: pullOf(told.pull_request),
    review: { id, url, at },
  };
}

function checked(
  payload: unknown,
  run: { head_sha: string; conclusion: string | null } | undefined,
): Trigger | { ignored: string } {
  const told = read(z.object(base), payload);
  if (!run || !told) {
    return UNREADABLE;
  }
  return FAILED.includes(run.conclusion ?? '')
    ? { ...from(told), kind: 'checks', headCommit: run.head_sha }
    : { ignored: 'The checks did not fail.' };
}

function closed(payload: unknown): Trigger | { ignored: string } {
  const told = read(closedSchema, payload);
  if (!told) {
    return UNREADABLE;
  }
  const { merged, closed_at: at } = told.pull_request;
  return { ...from(told), kind: 'close', pull: pullOf(told.pull_request), merged: merged === true, at: at ?? '' };
}

function from(told: z.infer<z.ZodObject<typeof base>>): Pick<Trigger, 'repositoryUrl' | 'by' | 'isBot'> {
  const { login, type } = told.sender;
  return { repositoryUrl: told.repository.html_url, by: login, isBot: type === 'Bot' || login.endsWith('[bot]') };
}

function issueOf({ number, title, body, html_url: url, user }: z.infer<typeof issueSchema>): Issue {
  return { number, title, body, url, author: user?.login ?? 'ghost' };
}

function pullOf({ number, html_url: url }: z.infer<typeof pullSchema>): { number: number; url: string } {
  return { number, url };
}

function read<Schema extends z.ZodType>(schema: Schema, payload: unknown): z.infer<Schema> | undefined {
  return schema.safeParse(payload).data;
}
