import { plainGit } from '../plainGit.ts';
import { repositoryObject, type GithubPull, type GithubRepository } from './githubObjects.ts';
import { errorReply, type GithubCall, type GithubReply } from './githubReply.ts';

/** What GitHub finds out by comparing commits, by the ids of the operations in its description. */
export const comparingOperations: Readonly<Record<string, (call: GithubCall) => Promise<GithubReply>>> = {
  'repos/compare-commits-with-basehead': compare,
  'repos/get-combined-status-for-ref': async ({ origin, repository, values }) => ({
    status: 200,
    body: {
      state: 'pending',
      statuses: [],
      sha: values['ref'],
      total_count: 0,
      repository: repositoryObject(origin, repository),
      commit_url: `${origin}/api/v3/repos/${repository.owner}/${repository.name}/commits/${values['ref']}`,
      url: `${origin}/api/v3/repos/${repository.owner}/${repository.name}/commits/${values['ref']}/status`,
    },
  }),
};

/** Whether both ends can be merged; git is asked. */
export async function mergeableOf({ bareFolder }: GithubRepository, { base, head }: GithubPull): Promise<boolean> {
  return plainGit(bareFolder, ['merge-tree', '--write-tree', '--no-messages', base, head]).then(
    () => true,
    () => false,
  );
}

async function compare({ origin, repository, values }: GithubCall): Promise<GithubReply> {
  const [base = '', head = ''] = (values['basehead'] ?? '').split('...');
  const counts = await plainGit(repository.bareFolder, [
    'rev-list',
    '--left-right',
    '--count',
    `${base}...${head}`,
  ]).catch(() => undefined);
  if (counts === undefined) {
    return errorReply(404, 'Not Found');
  }
  const [behind = 0, ahead = 0] = counts.split('\t').map(Number);
  const url = `${origin}/api/v3/repos/${repository.owner}/${repository.name}/compare/${values['basehead']}`;
  const commit = await commitObject({ origin, repository }, base);
  return {
    status: 200,
    body: {
      url,
      ...Object.fromEntries(['html', 'permalink', 'diff', 'patch'].map(name => [`${name}_url`, url])),
      base_commit: commit,
      merge_base_commit: commit,
      status: behind > 0 && ahead > 0 ? 'diverged' : behind > 0 ? 'behind' : ahead > 0 ? 'ahead' : 'identical',
      ahead_by: ahead,
      behind_by: behind,
      total_commits: ahead,
      commits: [],
      files: [],
    },
  };
}

async function commitObject(
  { origin, repository }: Pick<GithubCall, 'origin' | 'repository'>,
  name: string,
): Promise<object> {
  const sha = await plainGit(repository.bareFolder, ['rev-parse', name]);
  const url = `${origin}/api/v3/repos/${repository.owner}/${repository.name}/commits/${sha}`;
  const person = { name: 'n', email: 'a@b', date: new Date(0).toISOString() };
  const tree = { sha, url };
  return {
    url,
    sha,
    node_id: `C_${sha}`,
    html_url: url,
    comments_url: url,
    commit: { url, author: person, committer: person, message: 'A commit', comment_count: 0, tree },
    author: null,
    committer: null,
    parents: [],
  };
}
