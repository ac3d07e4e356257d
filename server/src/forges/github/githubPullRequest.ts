import { SandpiperError } from '../../../../protocol/errors.ts';
import type { FoundPullRequest } from '../openOnce.ts';
import type { TextLimits } from '../pullRequestTexts.ts';

/** GitHub's own limits; longer texts are refused there. */
export const GITHUB_LIMITS: TextLimits = {
  title: 256,
  titleIn: 'units',
  body: 65_536,
  cutMark: '\n\n(This text was too long for GitHub and has been cut.)',
};

/**
 * Reads a pull request out of an answer, which may come from anything that sits at the configured address.
 * @throws `forge_unreachable` when it is not one
 */
export function readPullRequest(answer: unknown): FoundPullRequest {
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

export function readPullRequests(answer: unknown): FoundPullRequest[] {
  if (!Array.isArray(answer)) {
    throw notGithub();
  }
  return answer.map(readPullRequest);
}

export function readDefaultBranch(answer: unknown): string {
  return text(record(answer)['default_branch']);
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
