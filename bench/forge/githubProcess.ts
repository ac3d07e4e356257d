import { setTimeout } from 'node:timers/promises';
import type { GithubEvent } from '../../test/support/github/githubHooks.ts';
import { startGithubServer, type GithubServer } from '../../test/support/githubServer.ts';
import { serveHelper, startHelper, type HelperProcess } from '../support/helperProcess.ts';

/* The GitHub of the bench in a process of its own. Forked, this file is that process. */

export type GithubProcess = HelperProcess<typeof questions>;

export interface OpenedGithub {
  /** For SANDPIPER_GITHUB_HOSTS. */
  hosts: string;
  token: string;
  /** As people write it: host/owner/name. */
  repository: string;
  page: string;
  cloneUrl: string;
}

export const WRITER = 'alice';
export const READER = 'mallory';

export function startGithubProcess(): GithubProcess {
  return startHelper<typeof questions>(import.meta.filename);
}

const [OWNER, NAME] = ['acme', 'app'];
let github: GithubServer | undefined;

const questions = {
  /** @param answerMs what every answer takes besides: a GitHub is not on this machine */
  async open({ from, answerMs }: { from: string; answerMs: number }): Promise<OpenedGithub> {
    github = await startGithubServer({ beforeAnswer: () => setTimeout(answerMs) });
    const { cloneUrl } = await github.createRepository(OWNER, NAME, { from });
    const { talk } = github.people(OWNER, NAME);
    talk.permissions.set(WRITER, 'write').set(READER, 'read').set('sandpiper-tester', 'write');
    const { url, host, apiUrl, token } = github;
    return {
      hosts: `${host}=${apiUrl}`,
      token,
      repository: `${host}/${OWNER}/${NAME}`,
      page: `${url}/${OWNER}/${NAME}`,
      cloneUrl,
    };
  },
  /** A person opens an issue and gives it the label that begins a session. */
  labelIssue({ body }: { body: string }): GithubEvent {
    const number = opened().openIssue(OWNER, NAME, { title: 'An issue', body, by: WRITER });
    return opened().people(OWNER, NAME).hooks.labelled(number, 'sandpiper', WRITER);
  },
  async close(): Promise<void> {
    await github?.close();
  },
};

function opened(): GithubServer {
  if (!github) {
    throw new Error('The GitHub of the bench is not open.');
  }
  return github;
}

if (process.argv[1] === import.meta.filename) {
  serveHelper(questions);
}
