import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { githubApp } from './github/githubApp.ts';
import type { FaultOptions, GithubFault } from './github/githubFaults.ts';
import { GithubHooks } from './github/githubHooks.ts';
import type { GithubInstallations } from './github/githubInstallations.ts';
import type { GithubSignIns } from './github/githubSignIns.ts';
import type { GithubPull, GithubRepository } from './github/githubObjects.ts';
import { now, type GithubTalk } from './github/githubTalk.ts';
import { makeGithubRepository, type RepositoryOptions } from './github/githubRepositories.ts';
import { GithubWorld, type GithubRequest } from './github/githubWorld.ts';

/** A GitHub of one's own: REST under /api/v3 as GitHub's description has it, git over smart HTTP, faults on demand. */
export interface GithubServer {
  url: string;
  /** As in a remote URL, with the port. */
  host: string;
  apiUrl: string;
  /** May do everything. */
  token: string;
  /** May read only. */
  readToken: string;
  /** An App, installed nowhere yet. */
  app: GithubInstallations;
  /** The device flow: who may do everything is whoever enters a code. */
  signIns: GithubSignIns;
  createRepository(owner: string, name: string, options?: RepositoryOptions): Promise<CreatedRepository>;
  /** Of every repository, oldest first. */
  pullRequests(): (GithubPull & { owner: string; repository: string })[];
  merge(owner: string, name: string, number: number): void;
  /** @returns its number */
  openIssue(owner: string, name: string, issue: { title: string; body: string; by: string }): number;
  /** What people do in a repository, and what GitHub tells of it. */
  people(owner: string, name: string): { talk: GithubTalk; hooks: GithubHooks };
  /** Every request so far, REST and git, in order of arrival. */
  requests(): readonly GithubRequest[];
  /** Where a request or the emulator's own answer did not match GitHub's description. */
  violations(): readonly string[];
  fault(kind: GithubFault, options?: FaultOptions): void;
  /** Does something once, after the effect of the next request to an operation and before its answer. */
  afterNext(operation: string, action: () => Promise<void>): void;
  /** Lets so many more requests of git pass and holds the others. */
  holdGit(after: number): { held(): number; release(): void };
  close(): Promise<void>;
}

export interface CreatedRepository {
  cloneUrl: string;
  /** Where the repository lies; read it, or push to it as a person at another machine would. */
  bareFolder: string;
}

export interface GithubServerOptions {
  /** Default: made up. */
  token?: string;
  /** Every answer waits for this, also git's. */
  beforeAnswer?: () => Promise<void>;
}

export async function startGithubServer(options: GithubServerOptions = {}): Promise<GithubServer> {
  const root = await mkdtemp(join(tmpdir(), 'sandpiper-github-'));
  const world = new GithubWorld(options.token);
  const answer = githubApp(world, root);
  const server = createServer((request, response) => {
    void (options.beforeAnswer?.() ?? Promise.resolve()).then(() => answer(request, response));
  });
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  } catch (error) {
    await rm(root, { recursive: true, force: true });
    throw error;
  }
  const address = server.address();
  world.origin = `http://127.0.0.1:${isAddress(address) ? address.port : 0}`;
  return {
    url: world.origin,
    host: new URL(world.origin).host,
    apiUrl: `${world.origin}/api/v3`,
    token: world.token,
    readToken: world.readToken,
    app: world.app,
    signIns: world.signIns,
    async createRepository(owner, name, repositoryOptions = {}) {
      const id = world.repositories.length + 1;
      const repository = await makeGithubRepository(root, { id, owner, name }, repositoryOptions);
      world.repositories.push(repository);
      return { cloneUrl: `${world.origin}/${owner}/${name}.git`, bareFolder: repository.bareFolder };
    },
    pullRequests: () =>
      world.repositories.flatMap(({ owner, name, pulls }) => pulls.map(pull => ({ ...pull, owner, repository: name }))),
    merge(owner, name, number) {
      const pull = world.find(owner, name)?.pulls.find(one => one.number === number);
      const now = new Date().toISOString();
      Object.assign(pull ?? {}, { state: 'closed', closedAt: now, mergedAt: now });
    },
    openIssue(owner, name, issue) {
      const repository = found(world, owner, name);
      const number = repository.pulls.length + repository.talk.issues.length + 1;
      repository.talk.issues.push({ ...issue, number, state: 'open', updatedAt: now() });
      return number;
    },
    people(owner, name) {
      const repository = found(world, owner, name);
      return { talk: repository.talk, hooks: new GithubHooks(() => world.origin, repository) };
    },
    requests: () => world.requests,
    violations: () => world.violations,
    fault: (kind, faultOptions) => world.faults.add(kind, faultOptions),
    afterNext(operation, action) {
      world.afterEffect = asked => {
        if (asked !== operation) {
          return undefined;
        }
        world.afterEffect = () => undefined;
        return action();
      };
    },
    holdGit(after) {
      let seen = 0;
      let release = () => {};
      const open = new Promise<void>(resolve => (release = resolve));
      world.gitGate = () => (++seen > after ? open : undefined);
      return {
        held: () => Math.max(0, seen - after),
        release() {
          world.gitGate = () => undefined;
          release();
        },
      };
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>(resolve => server.close(() => resolve()));
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function found(world: GithubWorld, owner: string, name: string): GithubRepository {
  const repository = world.find(owner, name);
  if (!repository) {
    throw new Error(`There is no repository ${owner}/${name}.`);
  }
  return repository;
}

function isAddress(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}
