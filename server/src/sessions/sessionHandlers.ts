import type { CallHandlers, CallName, CallResult, CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { CallContext } from '../core/callContext.ts';
import { partsOf } from '../archives/manifest.ts';
import { attentionHandlers } from './attention.ts';
import { feedbackHandlers } from './commenting.ts';
import { composingHandlers } from './composingHandlers.ts';
import { checkpointHandlers } from './checkpointHandlers.ts';
import { createSession } from './createSession.ts';
import { deletedOf } from './deleteSession.ts';
import type { Dependencies } from './dependencies.ts';
import { Idempotency, type RecordOf } from './idempotency.ts';
import { labelCallHandlers } from './labelling.ts';
import { moveHandlers } from './moveHandlers.ts';
import { importHandlers } from './importing.ts';
import { land } from './landing.ts';
import { LandingQueue } from './landingQueue.ts';
import { networkHandlers } from './networkAccess.ts';
import { PermissionRules, ruleCallHandlers } from './permissionRules.ts';
import { answerApproval, keepsIn } from './personDrafts.ts';
import { reviewHandlers } from './reviewing.ts';
import { refuseInSample, sampleHandlers } from './sampleSession.ts';
import type { Sessions } from './sessions.ts';
import { specHandlers } from './specHandlers.ts';
import { updateFromBase } from './updateFromBase.ts';

type SessionCalls = Extract<
  CallName,
  | `session.${string}`
  | `message.${string}`
  | `review.${string}`
  | `attention.${string}`
  | `import.${string}`
  | `rules.${string}`
  | `checkpoint.${string}`
  | `spec.${string}`
  | 'changes.acceptAll'
  | 'pullRequest.open'
  | 'pullRequest.updateFromBase'
>;
/** Subscriptions belong to the socket that asks. */
export type SessionHandlers = Pick<
  CallHandlers<CallContext>,
  Exclude<SessionCalls, 'session.subscribe' | 'session.unsubscribe' | 'session.search'>
>;

const MAX_ITEMS = 200;

/** The calls that read or change sessions. */
export function sessionHandlers(dependencies: Dependencies, sessions: Sessions): SessionHandlers {
  const idempotency = new Idempotency(dependencies.store, refuseInSample(sessions));
  const rules = new PermissionRules(dependencies, sessions);
  return {
    'session.create': params => {
      dependencies.secrets.holdBrought(params.token);
      return idempotency.once('session.create', params, record =>
        createSession(dependencies, sessions, params, record),
      );
    },
    'session.list': params => listSessions(dependencies, sessions, params),
    'session.get': ({ sessionId }) => sessions.snapshot(sessionId, MAX_ITEMS),
    'session.events': async ({ sessionId, after, limit }) => ({
      events: await sessions.read(sessionId, after, limit),
      lastSeq: (await sessions.get(sessionId)).log.state.seq,
    }),
    ...composingHandlers(dependencies, sessions, idempotency),
    ...networkHandlers(dependencies, sessions, idempotency),
    'session.stop': params =>
      idempotency.once('session.stop', params, async record => {
        const session = await sessions.get(params.sessionId);
        return { stopping: await session.stop('owner', stopping => () => record({ stopping })) };
      }),
    'session.retry': params =>
      idempotency.once('session.retry', params, async record => {
        const session = await sessions.get(params.sessionId);
        await dependencies.requireRoom();
        const { sourceAccess } = dependencies;
        dependencies.secrets.holdBrought(params.token);
        if (params.token !== undefined) {
          const header = await sourceAccess.headerFor(session.log.runtime.source, params.token);
          sourceAccess.keep(params.sessionId, header);
        }
        return { recovering: await session.recover(recovering => () => record({ recovering })) };
      }),
    'session.answer': (params, { client }) =>
      idempotency.once('session.answer', params, async record => {
        const session = await sessions.get(params.sessionId);
        const { approvalId, decision } = params;
        const scope = keepsIn(decision);
        const kept = session.log.state.approvals.find(({ id }) => id === approvalId)?.rules ?? [];
        const seq = await session.perform((agent, state, runtime) => ({
          ...answerApproval(agent, state, runtime, { approvalId, decision, by: 'owner', via: client.name }),
          call: last => record({ seq: last }),
        }));
        // Only an answer that counted keeps anything, and one that is lost to a kill here is asked again.
        if (scope === 'repository' || scope === 'everywhere') {
          await rules.addAll(kept, { scope, sessionId: session.id });
        }
        return { seq };
      }),
    'session.rename': params =>
      idempotency.once('session.rename', params, async record => {
        const session = await sessions.get(params.sessionId);
        await session.record(() => ({
          events: [{ type: 'sessionRenamed', title: params.title }],
          call: () => record({}),
        }));
        return {};
      }),
    'session.archive': params =>
      idempotency.once('session.archive', params, async record => {
        await (await sessions.get(params.sessionId)).archive(params.archived, () => record({}));
        return {};
      }),
    ...attentionHandlers(dependencies, sessions),
    ...importHandlers(dependencies, sessions, idempotency),
    ...sampleHandlers(dependencies, sessions, idempotency),
    ...ruleCallHandlers(dependencies, rules, idempotency),
    ...labelCallHandlers(sessions, idempotency),
    ...moveHandlers(dependencies, sessions, idempotency),
    ...reviewHandlers(dependencies, sessions, idempotency),
    ...feedbackHandlers(dependencies, sessions, idempotency),
    ...checkpointHandlers(dependencies, sessions, idempotency),
    ...specHandlers(dependencies, sessions, idempotency),
    'session.delete': params =>
      idempotency.once('session.delete', params, record => deleteOnce(dependencies, sessions, params, record)),
    'session.restore': params =>
      idempotency.once('session.restore', params, async record => {
        const existing = await dependencies.store.readSession(params.sessionId);
        if (existing) {
          const result = { seq: existing.lastSeq };
          await dependencies.store.recordCall(record(result));
          return result;
        }
        await dependencies.requireRoom();
        return { seq: await sessions.restore(params.sessionId, seq => record({ seq })) };
      }),
    'session.listDeleted': () => listDeleted(dependencies),
    ...pullRequestHandlers(dependencies, sessions, idempotency),
  };
}

function pullRequestHandlers(
  dependencies: Dependencies,
  sessions: Sessions,
  idempotency: Idempotency,
): Pick<SessionHandlers, 'pullRequest.open' | 'pullRequest.updateFromBase'> {
  const landings = new LandingQueue();
  return {
    'pullRequest.open': params => {
      dependencies.secrets.holdBrought(params.token);
      return idempotency.once('pullRequest.open', params, record =>
        landings.run(params.sessionId, () => openPullRequest(dependencies, sessions, params, record)),
      );
    },
    'pullRequest.updateFromBase': params => {
      dependencies.secrets.holdBrought(params.token);
      return idempotency.once('pullRequest.updateFromBase', params, record =>
        landings.run(params.sessionId, () => updateFromBase(dependencies, sessions, params, record)),
      );
    },
  };
}

async function listSessions(
  { store }: Dependencies,
  sessions: Sessions,
  { archived, pinned, limit, cursor }: CheckedParams<'session.list'>,
): Promise<CallResult<'session.list'>> {
  const before = cursor === undefined ? undefined : parseCursor(cursor);
  const rows = await store.listSessions({
    archived,
    ...(pinned === undefined ? {} : { pinned }),
    limit,
    ...(before ? { before } : {}),
  });
  const last = rows.at(-1);
  return {
    sessions: rows.map(row => sessions.seen(row.summary)),
    ...(last && rows.length === limit ? { nextCursor: `${last.summary.updatedAt}.${last.sessionId}` } : {}),
  };
}

/** Deleting what was deleted before is done already; its record is written with it otherwise. */
async function deleteOnce(
  { archives, store }: Dependencies,
  sessions: Sessions,
  { sessionId, force }: CheckedParams<'session.delete'>,
  record: RecordOf,
): Promise<CallResult<'session.delete'>> {
  const archived = (await store.readSession(sessionId)) ? undefined : await archives.read(sessionId);
  if (!archived) {
    return sessions.delete(sessionId, { force, record });
  }
  const result = deletedOf(archived);
  await store.recordCall(record(result));
  return result;
}

async function openPullRequest(
  dependencies: Dependencies,
  sessions: Sessions,
  params: CheckedParams<'pullRequest.open'>,
  record: RecordOf,
): Promise<CallResult<'pullRequest.open'>> {
  const session = await sessions.get(params.sessionId);
  const { pullRequest, created, landed, from, pending, notices } = await land(
    dependencies,
    session.log,
    params,
    async runtime => {
      await session.record(() => ({ events: [], runtime }));
    },
  );
  const { events } = await session.record(() => ({
    events: [
      { type: 'pullRequestOpened', pullRequest, created, by: 'owner' },
      ...notices.map(text => ({ type: 'noticeRaised', level: 'info', text }) as const),
    ],
    runtime: { landed },
    call: seq => record({ pullRequest, created, seq, from, pending }),
  }));
  return { pullRequest, created, seq: events.at(-1)?.seq ?? session.log.state.seq, from, pending };
}

function parseCursor(cursor: string): { updatedAt: number; sessionId: string } {
  const match = /^(\d{1,16})\.(ses_[0-9a-z]{26})$/.exec(cursor);
  if (!match?.[1] || !match[2]) {
    throw new SandpiperError('invalid_params', 'The cursor is not one that this relay gave.', {
      hint: 'Begin without a cursor.',
    });
  }
  return { updatedAt: Number(match[1]), sessionId: match[2] };
}

/** The sessions that can still be brought back. */
async function listDeleted({ archives, store }: Dependencies): Promise<CallResult<'session.listDeleted'>> {
  const { manifests, damaged } = await archives.list();
  const rows = await Promise.all(manifests.map(({ sessionId }) => store.readSession(sessionId)));
  return {
    sessions: manifests
      .filter((_, index) => !rows[index])
      .map(manifest => ({
        summary: manifest.summary,
        ...deletedOf(manifest),
        bytes: partsOf(manifest).reduce((sum, part) => sum + part.bytes, 0),
      })),
    damaged,
  };
}
