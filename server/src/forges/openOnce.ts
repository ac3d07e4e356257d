import { setTimeout } from 'node:timers/promises';
import type { PullRequest } from '../../../protocol/events.ts';
import type { SandpiperError } from '../../../protocol/errors.ts';
import type { PullRequestRequest } from './forge.ts';
import { fitTexts, sameTexts, type PullRequestTexts, type TextLimits } from './pullRequestTexts.ts';

/** A pull request as its forge describes it. */
export interface FoundPullRequest {
  number: number;
  url: string;
  title: string;
  body: string;
  state: 'open' | 'closed' | 'merged';
  draft: boolean;
  branch: string;
  baseBranch: string;
  /** False when the branch is in a fork. */
  sameRepository: boolean;
}

/** Why a creation was not confirmed. */
export interface CreateFailure {
  /** It may be there all the same. */
  uncertain: boolean;
  /** The forge says that there is one. */
  exists: boolean;
  /** It was to be a draft, and there are none here. */
  noDrafts?: boolean;
  error: SandpiperError;
}

export type NewPullRequest = PullRequestTexts & { branch: string; baseBranch: string; draft: boolean };

/** The requests about the pull requests of one repository with one token. Failures are those of forge.ts. */
export interface PullRequestDesk {
  /** Undefined when it is gone. */
  read(number: number): Promise<FoundPullRequest | undefined>;
  /** Open ones from a branch into another; more may come. */
  list(branch: string, baseBranch: string): Promise<FoundPullRequest[]>;
  create(request: NewPullRequest): Promise<FoundPullRequest | CreateFailure>;
  update(number: number, texts: PullRequestTexts): Promise<FoundPullRequest>;
}

export interface DeskRules {
  forge: string;
  limits: TextLimits;
  /** Makes a draft of a pull request whose title it stands before; empty where a title has nothing to do with that. */
  draftPrefix: string;
  /** A body in which nothing is an order to the forge: much of it was written by an agent. */
  plainBody: (body: string) => string;
}

/** How often an unconfirmed pull request is looked for, and how long after each time. */
const LOOK_AGAIN_MS = [200, 600, 1500];

/**
 * Finds the open pull request of a branch and brings its texts up to date, else creates it. Safe to repeat; a creation whose
 * answer was lost is looked for and never sent again.
 */
export async function openOnce(
  desk: PullRequestDesk,
  request: PullRequestRequest,
  rules: DeskRules,
): Promise<{ pullRequest: PullRequest; created: boolean }> {
  const existing = (await readKnown(desk, request)) ?? (await find(desk, request));
  const { found, created } = existing
    ? { found: await update(desk, existing, request, rules), created: false }
    : await create(desk, request, rules);
  const { number, url, branch, baseBranch, draft, state } = found;
  return {
    // The forge may name the commit before the push for some seconds.
    pullRequest: { forge: rules.forge, number, url, branch, baseBranch, headCommit: request.headCommit, draft, state },
    created,
  };
}

/** The pull request that the session opened before, while it is open; its base may have been changed by a person. */
async function readKnown(
  desk: PullRequestDesk,
  { known, branch }: PullRequestRequest,
): Promise<FoundPullRequest | undefined> {
  const found = known === undefined ? undefined : await desk.read(known);
  return found?.state === 'open' && found.branch === branch && found.sameRepository ? found : undefined;
}

async function find(
  desk: PullRequestDesk,
  { branch, baseBranch }: PullRequestRequest,
): Promise<FoundPullRequest | undefined> {
  // A forge leaves a filter out that it does not understand, so what it found is looked at again.
  return (await desk.list(branch, baseBranch)).find(
    found =>
      found.state === 'open' && found.branch === branch && found.baseBranch === baseBranch && found.sameRepository,
  );
}

/** What a person made ready for review stays so: the title gets the prefix only where it makes a draft now. */
async function update(
  desk: PullRequestDesk,
  found: FoundPullRequest,
  request: PullRequestRequest,
  rules: DeskRules,
): Promise<FoundPullRequest> {
  const texts = textsOf(request, rules, found.draft);
  return sameTexts(found, texts) ? found : desk.update(found.number, texts);
}

function textsOf(
  { title, body }: PullRequestTexts,
  { limits, draftPrefix, plainBody }: DeskRules,
  draft: boolean,
): PullRequestTexts {
  return fitTexts({ title, body: plainBody(body) }, limits, draft ? draftPrefix : '');
}

async function create(
  desk: PullRequestDesk,
  request: PullRequestRequest,
  rules: DeskRules,
): Promise<{ found: FoundPullRequest; created: boolean }> {
  const { branch, baseBranch, draft } = request;
  const texts = textsOf(request, rules, draft);
  const answer = await desk.create({ ...texts, branch, baseBranch, draft });
  if (!('error' in answer)) {
    return { found: await plainTitle(desk, answer, request, rules), created: true };
  }
  if (answer.uncertain) {
    // There was none before, so one that is there now is the effect of the request whose answer was lost.
    const found = await findLate(desk, request);
    if (found) {
      return { found: await plainTitle(desk, found, request, rules), created: true };
    }
  }
  if (answer.exists) {
    const found = await find(desk, request);
    if (found) {
      return { found: await update(desk, found, request, rules), created: false };
    }
  }
  if (draft && answer.noDrafts === true) {
    return create(desk, { ...request, draft: false }, rules);
  }
  throw answer.error;
}

/** Where the prefix makes no draft it is no part of the title. */
async function plainTitle(
  desk: PullRequestDesk,
  found: FoundPullRequest,
  request: PullRequestRequest,
  rules: DeskRules,
): Promise<FoundPullRequest> {
  return rules.draftPrefix !== '' && request.draft && !found.draft ? update(desk, found, request, rules) : found;
}

async function findLate(desk: PullRequestDesk, request: PullRequestRequest): Promise<FoundPullRequest | undefined> {
  for (const delayMs of LOOK_AGAIN_MS) {
    await setTimeout(delayMs);
    const found = await find(desk, request).catch(() => undefined);
    if (found) {
      return found;
    }
  }
  return undefined;
}
