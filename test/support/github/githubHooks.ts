import { API_USER } from './githubTalkOperations.ts';
import type { GithubPull, GithubRepository } from './githubObjects.ts';
import { pullObject, repositoryObject, userObject } from './githubObjects.ts';
import type { GithubComment, GithubReview } from './githubTalk.ts';
import { now } from './githubTalk.ts';

/** What GitHub tells by webhooks of what happened in an emulated repository. */
export interface GithubEvent {
  event: string;
  payload: object;
}

export class GithubHooks {
  readonly #origin: () => string;
  readonly #repository: GithubRepository;

  constructor(origin: () => string, repository: GithubRepository) {
    this.#origin = origin;
    this.#repository = repository;
  }

  labelled(number: number, label: string, by: string, at = now()): GithubEvent {
    const issue = { ...this.#issue(number), updated_at: at };
    return this.#event('issues', 'labeled', by, { issue, label: { id: 1, name: label, color: 'fff', default: false } });
  }

  commented({ id, number, by, body, at }: GithubComment, type = 'User'): GithubEvent {
    const html = `${this.#web()}/issues/${number}#issuecomment-${id}`;
    const user = { ...userObject(this.#origin(), by), type };
    const comment = { id, body, user, html_url: html, created_at: at, updated_at: at };
    return this.#event('issue_comment', 'created', by, { issue: this.#issue(number), comment });
  }

  reviewed({ id, pull, by, body, state, at }: GithubReview): GithubEvent {
    const review = {
      id,
      user: userObject(this.#origin(), by),
      body: body === '' ? null : body,
      state: state.toLowerCase(),
      html_url: `${this.#web()}/pull/${pull}#pullrequestreview-${id}`,
      submitted_at: at,
    };
    return this.#event('pull_request_review', 'submitted', by, { review, pull_request: this.#pull(pull) });
  }

  checksFailed(commit: string): GithubEvent {
    const checkSuite = { id: 1, head_sha: commit, status: 'completed', conclusion: 'failure', pull_requests: [] };
    return this.#event('check_suite', 'completed', API_USER, { check_suite: checkSuite });
  }

  runFailed(commit: string): GithubEvent {
    const run = { id: 1, name: 'ci', head_sha: commit, status: 'completed', conclusion: 'failure' };
    return this.#event('workflow_run', 'completed', API_USER, { workflow_run: run });
  }

  closed(number: number, by: string): GithubEvent {
    return this.#event('pull_request', 'closed', by, { number, pull_request: this.#pull(number) });
  }

  #event(event: string, action: string, by: string, more: object): GithubEvent {
    const repository = repositoryObject(this.#origin(), this.#repository);
    return { event, payload: { action, repository, sender: userObject(this.#origin(), by), ...more } };
  }

  #issue(number: number): object {
    const issue = this.#repository.talk.issues.find(one => one.number === number);
    const pull = this.#repository.pulls.find(one => one.number === number);
    return {
      number,
      title: issue?.title ?? pull?.title,
      body: issue?.body ?? pull?.body,
      state: issue?.state ?? pull?.state,
      user: userObject(this.#origin(), issue?.by ?? API_USER),
      html_url: `${this.#web()}/${pull ? 'pull' : 'issues'}/${number}`,
      updated_at: issue?.updatedAt ?? pull?.updatedAt,
      ...(pull ? { pull_request: { url: this.#web() } } : {}),
    };
  }

  #pull(number: number): object {
    const pull = this.#repository.pulls.find((one: GithubPull) => one.number === number);
    if (!pull) {
      throw new Error(`There is no pull request #${number}.`);
    }
    const commits = { head: '0'.repeat(40), base: '0'.repeat(40) };
    return pullObject(this.#origin(), this.#repository, pull, commits);
  }

  #web(): string {
    return `${this.#origin()}/${this.#repository.owner}/${this.#repository.name}`;
  }
}
