import type { GithubRepository } from './githubObjects.ts';

export interface GithubReply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** A request that has been checked against GitHub's description. */
export interface GithubCall {
  origin: string;
  repository: GithubRepository;
  values: Record<string, string>;
  query: URLSearchParams;
  body: {
    title?: string;
    body?: string;
    head?: string;
    base?: string;
    draft?: boolean;
    state?: 'open' | 'closed';
    content?: string;
  };
  draftsSupported: boolean;
}

export function errorReply(status: number, message: string, errors?: object[]): GithubReply {
  return {
    status,
    body: {
      message,
      ...(errors ? { errors } : {}),
      documentation_url: 'https://docs.github.com/rest',
      status: `${status}`,
    },
  };
}
