import { SandpiperError } from '../../../protocol/errors.ts';
import type { PullRequest } from '../../../protocol/events.ts';
import type { PullRequestDeed } from '../../../protocol/landingCalls.ts';
import type { Origin } from '../../../protocol/origin.ts';
import type { Colleague, ForgeReview, Place, ReviewComment } from '../forges/colleague.ts';
import { isOurs } from './context.ts';
import { checksPrompt, reviewPrompt } from './prompts.ts';

/* What a person has done about a pull request by a press: the same turns that webhooks begin, for any session. */

const MAX_ITEMS = 50;
const MAX_BODY_CHARS = 20_000;

/** What the agent is sent, and where it came from. */
export interface DeedMessage {
  text: string;
  origin: Origin;
}

/**
 * Reads on the forge what is to be done.
 * @param key the same for a repeat: texts of others are fenced by it
 * @throws `conflict` when there is nothing to do, with why
 */
export async function deedMessage(
  colleague: Colleague,
  place: Place,
  { deed, key, pull }: { deed: PullRequestDeed; key: string; pull: Pick<PullRequest, 'number' | 'url' | 'forge'> },
): Promise<DeedMessage> {
  const { number, url } = pull;
  const now = await colleague.readPullRequest(place, number);
  if (now.state === 'closed') {
    throw nothing(`Pull request #${number} is ${now.merged ? 'merged' : 'closed'}.`);
  }
  const by = 'you';
  if (deed === 'fixChecks') {
    const checks = await colleague.failedChecks(place, now.headCommit);
    if (checks.length === 0) {
      throw nothing(`No check of the newest commit of pull request #${number} has failed.`);
    }
    return {
      text: checksPrompt(key, number, 'repair asked for by hand', checks),
      origin: { forge: pull.forge, kind: 'checks', number, url: checks[0]?.url || url, by },
    };
  }
  const { items, bodies } = await openReview(colleague, place, number);
  if (items.length === 0 && bodies.length === 0) {
    throw nothing(`No review of pull request #${number} by somebody who may write there waits for an answer.`);
  }
  const people = [...new Set([...items.map(({ comment }) => comment.by), ...bodies.map(({ by: who }) => who)])];
  const body = bodies
    .map(one => `${one.by}: ${one.body}`)
    .join('\n\n')
    .slice(0, MAX_BODY_CHARS);
  return {
    text: reviewPrompt(key, number, { body, by: people.join(', ') }, items),
    origin: { forge: pull.forge, kind: 'review', number, url, by: people.join(', ').slice(0, 100) },
  };
}

/** What nobody of ours has answered: the last word of each thread, and of each reviewer who wants changes. */
async function openReview(
  colleague: Colleague,
  place: Place,
  number: number,
): Promise<{ items: { label: string; comment: ReviewComment }[]; bodies: ForgeReview[] }> {
  const reviews = await colleague.listReviews(place, number);
  const mayAsk = writers(colleague, place);
  const threads = new Map<number, { comment: ReviewComment; isBot: boolean }>();
  for (const { id, isBot } of reviews) {
    for (const comment of await colleague.listReviewComments(place, number, id)) {
      const known = threads.get(comment.threadId);
      if (!known || known.comment.id < comment.id) {
        threads.set(comment.threadId, { comment, isBot });
      }
    }
  }
  const items: ReviewComment[] = [];
  for (const { comment, isBot } of threads.values()) {
    if (!isBot && !isOurs(comment.body) && (await mayAsk(comment.by))) {
      items.push(comment);
    }
  }
  const last = new Map(reviews.filter(({ isBot }) => !isBot).map(review => [review.by, review]));
  const bodies: ForgeReview[] = [];
  for (const review of last.values()) {
    if (!review.approves && review.body.trim() !== '' && !isOurs(review.body) && (await mayAsk(review.by))) {
      bodies.push(review);
    }
  }
  return {
    items: items.slice(0, MAX_ITEMS).map((comment, index) => ({ label: `C${index + 1}`, comment })),
    bodies,
  };
}

/** Whose words may go to the agent; each is asked about once. */
function writers(colleague: Colleague, place: Place): (login: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return login => {
    const answer = known.get(login) ?? colleague.mayWrite(place, login);
    known.set(login, answer);
    return answer;
  };
}

function nothing(message: string): SandpiperError {
  return new SandpiperError('conflict', message, { hint: 'There is nothing to do about it.' });
}
