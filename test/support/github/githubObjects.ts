import type { GithubTalk } from './githubTalk.ts';

/** What the emulator keeps of a repository and its pull requests. */
export interface GithubRepository {
  id: number;
  owner: string;
  name: string;
  defaultBranch: string;
  bareFolder: string;
  pulls: GithubPull[];
  talk: GithubTalk;
}

export interface GithubPull {
  number: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  draft: boolean;
  /** Branch names in the repository. */
  head: string;
  base: string;
  createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  mergedAt: string | null;
}

/** Every `<name>_url` that GitHub's description demands. */
function urls(base: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map(name => [`${name}_url`, `${base}/${name}`]));
}

/** Fields that are here only because GitHub always has them. */
/** What did not change has the same answer. */
const CREATED_AT = new Date().toISOString();

function all(value: unknown, names: string): Record<string, unknown> {
  return Object.fromEntries(names.split(' ').map(name => [name, value]));
}

export function userObject(origin: string, login: string): Record<string, unknown> {
  const url = `${origin}/api/v3/users/${login}`;
  return {
    login,
    id: 1,
    node_id: 'U_1',
    type: 'User',
    site_admin: false,
    gravatar_id: '',
    url,
    html_url: `${origin}/${login}`,
    avatar_url: `${origin}/${login}.png`,
    ...urls(url, 'followers following gists starred subscriptions organizations repos events received_events'),
  };
}

/** Whose token it is. */
export function publicUserObject(origin: string, login: string): object {
  return {
    ...userObject(origin, login),
    ...all(null, 'name company blog location email hireable bio'),
    ...all(0, 'public_repos public_gists followers following'),
    ...all(CREATED_AT, 'created_at updated_at'),
  };
}

export function repositoryObject(origin: string, { id, owner, name, defaultBranch }: GithubRepository): object {
  const url = `${origin}/api/v3/repos/${owner}/${name}`;
  const web = `${origin}/${owner}/${name}`;
  const now = CREATED_AT;
  return {
    id,
    node_id: `R_${id}`,
    name,
    full_name: `${owner}/${name}`,
    owner: userObject(origin, owner),
    url,
    html_url: web,
    clone_url: `${web}.git`,
    svn_url: web,
    git_url: `git:${web}.git`,
    ssh_url: `git@${web}.git`,
    ...urls(url, 'archive assignees blobs branches collaborators comments commits compare contents contributors'),
    ...urls(url, 'deployments downloads events forks git_commits git_refs git_tags hooks issue_comment issue_events'),
    ...urls(url, 'issues keys labels languages merges milestones notifications pulls releases stargazers statuses'),
    ...urls(url, 'subscribers subscription tags teams trees'),
    ...all(null, 'description homepage language license mirror_url'),
    ...all(false, 'fork archived disabled has_pages has_discussions'),
    ...all(true, 'private has_issues has_projects has_wiki has_downloads'),
    ...all(0, 'size forks forks_count open_issues open_issues_count watchers watchers_count stargazers_count'),
    ...all(0, 'network_count subscribers_count'),
    default_branch: defaultBranch,
    created_at: now,
    updated_at: now,
    pushed_at: now,
  };
}

export function pullObject(
  origin: string,
  repository: GithubRepository,
  pull: GithubPull,
  commits: { head: string; base: string },
): object {
  const { owner, name } = repository;
  const api = `${origin}/api/v3/repos/${owner}/${name}`;
  const url = `${api}/pulls/${pull.number}`;
  const html = `${origin}/${owner}/${name}/pull/${pull.number}`;
  const user = userObject(origin, 'sandpiper-tester');
  const end = (ref: string, sha: string) => ({
    label: `${owner}:${ref}`,
    ref,
    sha,
    user: userObject(origin, owner),
    repo: repositoryObject(origin, repository),
  });
  const links = 'self html issue comments review_comments review_comment commits statuses'.split(' ');
  return {
    id: repository.id * 1000 + pull.number,
    node_id: `PR_${pull.number}`,
    number: pull.number,
    url,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: `${api}/issues/1`,
    ...urls(url, 'commits review_comments review_comment comments statuses'),
    state: pull.state,
    locked: false,
    title: pull.title,
    body: pull.body,
    draft: pull.draft,
    user,
    ...all(null, 'milestone assignee merged_by merge_commit_sha auto_merge mergeable'),
    ...all([], 'labels assignees requested_reviewers requested_teams'),
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.mergedAt,
    merged: pull.mergedAt !== null,
    head: end(pull.head, commits.head),
    base: end(pull.base, commits.base),
    _links: Object.fromEntries(links.map(link => [link, { href: `${url}/${link}` }])),
    author_association: 'OWNER',
    mergeable_state: 'unknown',
    ...all(0, 'comments review_comments commits additions deletions changed_files'),
    maintainer_can_modify: false,
  };
}
