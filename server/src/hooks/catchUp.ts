import { toSandpiperError } from '../../../protocol/errors.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import type { Place } from '../forges/colleague.ts';
import type { HookContext } from './context.ts';
import { commandIn, type Issue, type Trigger } from './trigger.ts';
import { subjectOf, takeTrigger } from './intake.ts';
import { readRequestData } from './requestData.ts';

/** Forges' clocks are not ours, and what is found twice is one request. */
const MARGIN_MS = 10 * 60_000;

/**
 * Looks at the pull requests of our sessions for what no webhook told: reviews, comments that ask, failed checks, their end.
 * What a webhook told already has the same key and is not done again.
 * @param since when this relay was last there: what people wrote before that was told, or nobody was to hear it
 * @returns how many requests are new
 */
export async function catchUp(context: HookContext, since: number): Promise<number> {
  let found = 0;
  for (const session of await context.ours()) {
    try {
      for (const trigger of await missedOf(context, session, since - MARGIN_MS)) {
        const handled = await takeTrigger(context, trigger);
        if (handled.kind === 'requested' && (await context.store.addRequest(handled.request))) {
          found++;
        }
      }
    } catch (error) {
      const { message } = toSandpiperError(error);
      context.log.log('warn', 'hooks', `What was missed could not be looked for: ${message}`, {
        sessionId: session.id,
      });
    }
  }
  return found;
}

async function missedOf(context: HookContext, session: SessionSummary, since: number): Promise<Trigger[]> {
  const { origin, pullRequest } = session;
  const repositoryUrl = pageOf(origin?.url ?? '');
  const repository = repositoryUrl === undefined ? undefined : context.repositoryAt(repositoryUrl);
  if (!origin || repositoryUrl === undefined || !repository || !(await context.connections.find(repositoryUrl))) {
    return [];
  }
  const place = await context.place(repository);
  const issue = await issueOf(context, subjectOf(repository, { number: origin.number, isPull: false }));
  const ofIssue = issue ? await commentsOn(context, place, { issue, isPull: false, repositoryUrl, since }) : [];
  return pullRequest ? [...ofIssue, ...(await ofPull(context, place, session, repositoryUrl, since))] : ofIssue;
}

async function ofPull(
  context: HookContext,
  place: Place,
  { pullRequest }: SessionSummary,
  repositoryUrl: string,
  since: number,
): Promise<Trigger[]> {
  if (!pullRequest) {
    return [];
  }
  const { number, url, headCommit } = pullRequest;
  const pull = { number, url };
  const now = await context.colleague.readPullRequest(place, number);
  if (now.state === 'closed') {
    const { merged, closedAt: at } = now;
    return [{ kind: 'close', repositoryUrl, by: '', isBot: false, pull, merged, at }];
  }
  const issue = { number, title: '', body: '', url, author: '' };
  const reviews = (await context.colleague.listReviews(place, number)).filter(({ at }) => Date.parse(at) > since);
  return [
    ...reviews.map(({ id, url: page, body, approves, at, by, isBot }) => ({
      kind: 'reviews' as const,
      repositoryUrl,
      by,
      isBot,
      pull,
      review: { id, url: page, body, approves, at },
    })),
    ...(await commentsOn(context, place, { issue, isPull: true, repositoryUrl, since })),
    ...(now.headCommit === headCommit && (await context.colleague.failedChecks(place, headCommit)).length > 0
      ? [{ kind: 'checks' as const, repositoryUrl, by: '', isBot: false, headCommit }]
      : []),
  ];
}

/** Only what was not edited: whoever may have asked for something else did so before that. */
async function commentsOn(
  context: HookContext,
  place: Place,
  { since, ...where }: { issue: Issue; isPull: boolean; repositoryUrl: string; since: number },
): Promise<Trigger[]> {
  const comments = await context.colleague.listComments(place, { number: where.issue.number, isPull: where.isPull });
  return comments
    .filter(({ body, createdAt, updatedAt }) => createdAt > since && updatedAt === createdAt && commandIn(body))
    .map(({ id, body, url, by, isBot }) => ({ kind: 'comments', ...where, by, isBot, comment: { id, body, url } }));
}

/** The page of a repository, out of that of an issue or a pull request of it. */
function pageOf(url: string): string | undefined {
  return /^(https?:\/\/[^/]+\/.+?)(?:\/-)?\/(?:issues|pulls?|merge_requests)\/\d+/.exec(url)?.[1];
}

/** As it stood when its session began. */
async function issueOf(context: HookContext, subject: string): Promise<Issue | undefined> {
  for (const { data } of await context.store.listRequests({ subject, limit: 50 })) {
    const { ask } = readRequestData(data);
    if (ask.kind === 'issue') {
      const { number, title, body, url, author } = ask;
      return { number, title, body, url, author };
    }
  }
  return undefined;
}
