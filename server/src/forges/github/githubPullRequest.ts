import type { PullRequest } from '../../../../protocol/events.ts';
import { SandpiperError } from '../../../../protocol/errors.ts';

/** What is needed of GitHub's pull request. */
export interface GithubPullRequest {
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

/** GitHub's own limits; longer texts are refused there. */
const MAX_TITLE = 256;
const MAX_BODY = 65_536;
const CUT_MARK = '\n\n(This text was too long for GitHub and has been cut.)';

/**
 * Reads a pull request out of an answer, which may come from anything that sits at the configured address.
 * @throws `forge_unreachable` when it is not one
 */
export function readPullRequest(answer: unknown): GithubPullRequest {
  const data = record(answer);
  const head = record(data['head']);
  const base = record(data['base']);
  const state = data['state'];
  const number = data['number'];
  if (typeof number !== 'number' || (state !== 'open' && state !== 'closed')) {
    throw notGithub();
  }
  return {
    number,
    url: text(data['html_url']),
    title: text(data['title']),
    body: data['body'] === null || data['body'] === undefined ? '' : text(data['body']),
    state: typeof data['merged_at'] === 'string' ? 'merged' : state,
    draft: data['draft'] === true,
    branch: text(head['ref']),
    baseBranch: text(base['ref']),
    sameRepository: fullName(head['repo']) === fullName(base['repo']),
  };
}

export function readPullRequests(answer: unknown): GithubPullRequest[] {
  if (!Array.isArray(answer)) {
    throw notGithub();
  }
  return answer.map(readPullRequest);
}

export function readDefaultBranch(answer: unknown): string {
  return text(record(answer)['default_branch']);
}

/**
 * The protocol's form. `headCommit` is what was pushed, not what GitHub says: for some seconds after a push GitHub
 * still names the commit before.
 */
export function toPullRequest(found: GithubPullRequest, headCommit: string): PullRequest {
  const { number, url, branch, baseBranch, draft, state } = found;
  return { forge: 'github', number, url, branch, baseBranch, headCommit, draft, state };
}

/** Title and body as GitHub accepts them. */
export function fitTexts(texts: { title: string; body: string }): { title: string; body: string } {
  const title = texts.title.replace(/\s+/g, ' ').trim();
  return {
    title: title.length > MAX_TITLE ? `${cut(title, MAX_TITLE - 1)}…` : title,
    body: texts.body.length > MAX_BODY ? cut(texts.body, MAX_BODY - CUT_MARK.length) + CUT_MARK : texts.body,
  };
}

/** Whether texts say the same; GitHub may change line ends and the space around. */
export function sameTexts(one: { title: string; body: string }, other: { title: string; body: string }): boolean {
  const normal = (value: string) => value.replaceAll('\r\n', '\n').trim();
  return normal(one.title) === normal(other.title) && normal(one.body) === normal(other.body);
}

/** The first `length` units of a text, without half a character at the end. */
function cut(value: string, length: number): string {
  return value.slice(0, length).replace(/[\ud800-\udbff]$/, '');
}

function fullName(repository: unknown): string | undefined {
  // Null when the fork has been deleted.
  return typeof repository === 'object' && repository !== null ? text(record(repository)['full_name']) : undefined;
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) {
    throw notGithub();
  }
  return { ...value };
}

function text(value: unknown): string {
  if (typeof value !== 'string') {
    throw notGithub();
  }
  return value;
}

function notGithub(): SandpiperError {
  return new SandpiperError('forge_unreachable', 'What answered is not GitHub: its answer makes no sense.', {
    hint: 'Check the address of this GitHub host, and whether a proxy or a login page stands before it.',
  });
}
