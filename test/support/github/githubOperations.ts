import { pullObject, repositoryObject, type GithubPull, type GithubRepository } from './githubObjects.ts';
import { errorReply, type GithubCall, type GithubReply } from './githubReply.ts';
import { comparingOperations, mergeableOf } from './githubComparing.ts';
import { talkOperations } from './githubTalkOperations.ts';
import { plainGit } from '../plainGit.ts';

/** The operations that the emulator knows, by their id in GitHub's description. */
export const githubOperations: Readonly<Record<string, (call: GithubCall) => Promise<GithubReply>>> = {
  'repos/get': async ({ origin, repository }) => ok(repositoryObject(origin, repository)),
  'pulls/get': getPull,
  'pulls/list': listPulls,
  'pulls/create': createPull,
  'pulls/update': updatePull,
  ...talkOperations,
  ...comparingOperations,
};

function ok(body: unknown): GithubReply {
  return { status: 200, body };
}

function refusal(fault: object): GithubReply {
  return errorReply(422, 'Validation Failed', [{ resource: 'PullRequest', ...fault }]);
}

function findPull({ repository, values }: GithubCall): GithubPull | undefined {
  return repository.pulls.find(pull => pull.number === Number(values['pull_number']));
}

async function reply(
  { origin, repository }: GithubCall,
  pull: GithubPull | undefined,
  status = 200,
): Promise<GithubReply> {
  return pull ? { status, body: await withCommits(origin, repository, pull) } : errorReply(404, 'Not Found');
}

/** Whether it can be merged is told of one, and never in a list. */
async function getPull(call: GithubCall): Promise<GithubReply> {
  const pull = findPull(call);
  const answer = await reply(call, pull);
  return pull?.state === 'open' && typeof answer.body === 'object'
    ? { ...answer, body: { ...answer.body, mergeable: await mergeableOf(call.repository, pull) } }
    : answer;
}

async function withCommits(origin: string, repository: GithubRepository, pull: GithubPull): Promise<object> {
  const [head, base] = await Promise.all([commitOf(repository, pull.head), commitOf(repository, pull.base)]);
  return pullObject(origin, repository, pull, { head: head ?? '0'.repeat(40), base: base ?? '0'.repeat(40) });
}

async function listPulls({ origin, repository, query }: GithubCall): Promise<GithubReply> {
  const state = query.get('state') ?? 'open';
  const head = query.get('head');
  const base = query.get('base');
  const matching = repository.pulls.filter(
    pull =>
      (state === 'all' || pull.state === state) &&
      // A head without an owner is not understood, and left out.
      (head === null || !head.includes(':') || head === `${repository.owner}:${pull.head}`) &&
      (base === null || base === pull.base),
  );
  return ok(await Promise.all(matching.reverse().map(pull => withCommits(origin, repository, pull))));
}

async function createPull(call: GithubCall): Promise<GithubReply> {
  const { repository, body } = call;
  const base = body.base ?? '';
  const head = (body.head ?? '').replace(`${repository.owner}:`, '');
  if (body.title === undefined) {
    return refusal({ code: 'missing_field', field: 'title' });
  }
  for (const [field, branch] of Object.entries({ head, base })) {
    if ((await commitOf(repository, branch)) === undefined) {
      return refusal({ code: 'invalid', field });
    }
  }
  const range = `refs/heads/${base}..refs/heads/${head}`;
  if ((await plainGit(repository.bareFolder, ['rev-list', '--count', range])) === '0') {
    return refusal({ code: 'custom', message: `No commits between ${base} and ${head}` });
  }
  if (body.draft === true && !call.draftsSupported) {
    return errorReply(422, 'Draft pull requests are not supported in this repository.');
  }
  // Last, with nothing to wait for before the effect: of two at once one is refused.
  if (repository.pulls.some(pull => pull.state === 'open' && pull.head === head && pull.base === base)) {
    return refusal({ code: 'custom', message: `A pull request already exists for ${repository.owner}:${head}.` });
  }
  const now = new Date().toISOString();
  const pull: GithubPull = {
    number: repository.pulls.length + repository.talk.issues.length + 1,
    title: body.title,
    body: body.body ?? null,
    state: 'open',
    draft: body.draft ?? false,
    head,
    base,
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    mergedAt: null,
  };
  repository.pulls.push(pull);
  return reply(call, pull, 201);
}

async function updatePull(call: GithubCall): Promise<GithubReply> {
  const pull = findPull(call);
  if (pull) {
    const { title = pull.title, body = pull.body, base = pull.base, state = pull.state } = call.body;
    const now = new Date().toISOString();
    Object.assign(pull, { title, body, base, state, updatedAt: now, closedAt: state === 'closed' ? now : null });
  }
  return reply(call, pull);
}

/** The commit of a branch, or undefined when there is no such branch. */
async function commitOf(repository: GithubRepository, branch: string): Promise<string | undefined> {
  return plainGit(repository.bareFolder, ['rev-parse', '--verify', '-q', `refs/heads/${branch}^{commit}`]).catch(
    () => undefined,
  );
}
