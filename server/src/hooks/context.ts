import type { CallName, CallParams, CallResult } from '../../../protocol/calls.ts';
import type { PullRequest } from '../../../protocol/events.ts';
import type { SessionState, SessionSummary } from '../../../protocol/session.ts';
import type { Logger } from '../core/log.ts';
import type { Colleague, Place } from '../forges/colleague.ts';
import type { ForgeRepository } from '../forges/forge.ts';
import type { HookStore } from '../store/hookStore.ts';
import type { Connections } from './connections.ts';

/** The calls that webhooks lead to. */
export type HookCall =
  | 'session.create'
  | 'session.send'
  | 'session.get'
  | 'session.archive'
  | 'changes.list'
  | 'changes.diff'
  | 'policy.check'
  | 'pullRequest.open';

/** A call to this relay, as any client makes it. */
export type Call = <N extends Extract<CallName, HookCall>>(name: N, params: CallParams<N>) => Promise<CallResult<N>>;

/** What the work on requests is done with. */
export interface HookContext {
  call: Call;
  store: HookStore;
  connections: Connections;
  log: Logger;
  /** The repository behind the address of its page, when it is on a forge that this relay knows. */
  repositoryAt(page: string): ForgeRepository | undefined;
  colleague: Colleague;
  /** Brings what a session says of its pull request up to date. */
  lookAt: (sessionId: string, pull: PullRequest) => Promise<void>;
  /** The repository with the token for it. @throws `forge_unauthorized` when there is none */
  place(repository: ForgeRepository): Promise<Place>;
  defaultBranch(place: Place): Promise<string>;
  /** The sessions that began by a webhook and are not archived. */
  ours(): Promise<SessionSummary[]>;
  /** The session that opened a pull request, if it came by a webhook and is not archived. @param url its page */
  sessionOfPull(url: string): Promise<string | undefined>;
  /** The pull request whose head is a commit that such a session pushed last. */
  pullOfCommit(commit: string): Promise<{ number: number; url: string } | undefined>;
  /** Hidden in what is written to the forge, so that it is written once; nobody else can guess it. */
  marker(key: string): string;
  /** Between two things that are written to the forge, which wants them slow. */
  pace(): Promise<void>;
}

const MARKER = /<!-- sandpiper:[0-9a-f]{32} -->/;

/** Whether this relay wrote it, or somebody who copied its mark: what has it never asks for anything. */
export function isOurs(text: string): boolean {
  return MARKER.test(text);
}

/** Undefined when it is gone. */
export async function sessionState(
  context: Pick<HookContext, 'call'>,
  sessionId: string,
): Promise<SessionState | undefined> {
  try {
    return await context.call('session.get', { sessionId });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'not_found') {
      return undefined;
    }
    throw error;
  }
}

/** The newest session of an issue or pull request that is still at hand. */
export async function sessionOfSubject(context: HookContext, subject: string): Promise<string | undefined> {
  for (const { sessionId } of await context.store.listRequests({ subject, limit: 50 })) {
    const state = sessionId === undefined ? undefined : await sessionState(context, sessionId);
    if (state && !state.archived) {
      return state.id;
    }
  }
  return undefined;
}
