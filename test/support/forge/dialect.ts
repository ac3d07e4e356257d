import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import type { EmulatedTalk } from './emulatedTalk.ts';

/* What the emulators of different forges have in common, and what each says in its own way. */

export interface EmulatedPull {
  /** Within its repository. */
  number: number;
  title: string;
  body: string;
  state: 'open' | 'closed';
  merged: boolean;
  branch: string;
  baseBranch: string;
  /** The branch is one of another repository. */
  fork: boolean;
  createdAt: string;
  updatedAt: string;
}

export interface EmulatedRepository {
  id: number;
  owner: string;
  name: string;
  defaultBranch: string;
  bareFolder: string;
  pulls: EmulatedPull[];
  talk: EmulatedTalk;
  /** Whether the prefix of a title makes a draft here. */
  draftsKnown: boolean;
}

export interface EmulatedReply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** A request that has been checked against the forge's description. */
export interface EmulatedCall<Query, Body> {
  origin: string;
  repository: EmulatedRepository;
  /** The parts of the path that the operation names. */
  values: Record<string, string>;
  query: Query;
  body: Body;
  /** Whether this creation is of a repository without drafts. */
  takeNoDrafts: () => boolean;
}

/** One operation of a forge's description. */
export interface EmulatedOperation {
  /** As in the description. */
  id: string;
  method: string;
  /** Below the API's address, still encoded; `repository` and further named groups. */
  path: RegExp;
  writes: boolean;
  reply: z.ZodType;
  /** Checks a request; what is wrong with it, or how to carry it out. */
  accept(query: Record<string, string>, body: unknown): { problems: string[] } | { act: Act };
}

export type Act = (call: Omit<EmulatedCall<never, never>, 'query' | 'body'>) => Promise<EmulatedReply> | EmulatedReply;

/** How one forge speaks. */
export interface Dialect {
  apiPath: string;
  operations: readonly EmulatedOperation[];
  /** The operation that opens a pull request. */
  creation: string;
  /** Of a REST request; empty when there is none. */
  tokenOf(request: IncomingMessage): string;
  refusals: Record<'unauthorized' | 'forbidden' | 'notFound' | 'invalid' | 'rateLimit', EmulatedReply>;
  /** Whether a title is that of a draft. */
  isDraft(title: string): boolean;
}

/** An operation whose requests and answers have these forms. */
export function operation<Query extends z.ZodType, Body extends z.ZodType>(spec: {
  id: string;
  method: string;
  path: RegExp;
  query: Query;
  body: Body;
  reply: z.ZodType;
  act(call: EmulatedCall<z.output<Query>, z.output<Body>>): Promise<EmulatedReply> | EmulatedReply;
}): EmulatedOperation {
  const { id, method, path, reply } = spec;
  return {
    id,
    method,
    path,
    reply,
    writes: method !== 'GET',
    accept(sentQuery, sentBody) {
      const query = spec.query.safeParse(sentQuery);
      const body = spec.body.safeParse(sentBody);
      return query.success && body.success
        ? { act: call => spec.act({ ...call, query: query.data, body: body.data }) }
        : { problems: [query, body].flatMap(read => (read.success ? [] : [`${id}: ${read.error.message}`])) };
    },
  };
}
