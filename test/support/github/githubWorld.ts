import { randomBytes } from 'node:crypto';
import { GithubFaults } from './githubFaults.ts';
import { GithubInstallations } from './githubInstallations.ts';
import { GithubSignIns } from './githubSignIns.ts';
import type { GithubRepository } from './githubObjects.ts';

export interface GithubRequest {
  method: string;
  path: string;
  /** Of GitHub's description; absent for git and pages. */
  operation?: string;
  apiVersion?: string;
  /** 0 when the connection was cut. */
  status: number;
}

/** All that one emulated GitHub knows and has seen. */
export class GithubWorld {
  origin = '';
  readonly token: string;
  readonly readToken = `ghp_${randomBytes(18).toString('hex')}`;
  readonly repositories: GithubRepository[] = [];
  readonly requests: GithubRequest[] = [];
  readonly violations: string[] = [];
  readonly faults = new GithubFaults();
  readonly app = new GithubInstallations();
  readonly signIns = new GithubSignIns();
  /** A request of git waits for this before it is looked at. */
  gitGate: () => Promise<void> | undefined = () => undefined;

  /** An answer of this operation that had its effect waits for this. */
  afterEffect: (operation: string) => Promise<void> | undefined = () => undefined;

  constructor(token = `ghs_${randomBytes(18).toString('hex')}`) {
    this.token = token;
  }

  find(owner = '', name = ''): GithubRepository | undefined {
    const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
    return this.repositories.find(one => same(one.owner, owner) && same(one.name, name));
  }
}
