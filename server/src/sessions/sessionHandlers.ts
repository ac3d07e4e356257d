import type { CallHandlers, CallName, CallResult, CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { newId } from '../../../protocol/ids.ts';
import type { CallContext } from '../core/callContext.ts';
import { acceptedRef, updateRef } from '../git/refs.ts';
import { createSession } from './createSession.ts';
import type { Dependencies } from './dependencies.ts';
import { Idempotency, type RecordOf } from './idempotency.ts';
import { land, LandingQueue } from './landing.ts';
import type { Sessions } from './sessions.ts';
import { mirrorOf } from './workspace.ts';

type SessionCalls = Extract<CallName, `session.${string}` | 'changes.acceptAll' | 'pullRequest.open'>;
/** Subscriptions belong to the socket that asks. */
export type SessionHandlers = Pick<
  CallHandlers<CallContext>,
  Exclude<SessionCalls, 'session.subscribe' | 'session.unsubscribe'>
>;

const MAX_ITEMS = 200;

/** The calls that read or change sessions. */
export function sessionHandlers(dependencies: Dependencies, sessions: Sessions): SessionHandlers {
  const idempotency = new Idempotency(dependencies.store);
  const landings = new LandingQueue();
  return {
    'session.create': params =>
      idempotency.once('session.create', params, record => createSession(dependencies, sessions, params, record)),
    'session.list': async ({ archived, limit, cursor }) => {
      const before = cursor === undefined ? undefined : parseCursor(cursor);
      const rows = await dependencies.store.listSessions({ archived, limit, ...(before ? { before } : {}) });
      const last = rows.at(-1);
      return {
        sessions: rows.map(row => row.summary),
        ...(last && rows.length === limit ? { nextCursor: `${last.summary.updatedAt}.${last.sessionId}` } : {}),
      };
    },
    'session.get': ({ sessionId }) => sessions.snapshot(sessionId, MAX_ITEMS),
    'session.events': async ({ sessionId, after, limit }) => ({
      events: await sessions.read(sessionId, after, limit),
      lastSeq: (await sessions.get(sessionId)).log.state.seq,
    }),
    'session.send': params =>
      idempotency.once('session.send', params, async record => {
        const session = await sessions.get(params.sessionId);
        await dependencies.requireRoom();
        const messageId = newId('msg');
        const seq = await session.send({ messageId, text: params.text, by: 'owner' }, last =>
          record({ messageId, seq: last }),
        );
        return { messageId, seq };
      }),
    'session.stop': params =>
      idempotency.once('session.stop', params, async record => {
        const session = await sessions.get(params.sessionId);
        return { stopping: await session.stop('owner', stopping => () => record({ stopping })) };
      }),
    'session.retry': params =>
      idempotency.once('session.retry', params, async record => {
        const session = await sessions.get(params.sessionId);
        await dependencies.requireRoom();
        await session.retry('owner', () => record({}));
        return {};
      }),
    'session.answer': params =>
      idempotency.once('session.answer', params, async record => {
        const session = await sessions.get(params.sessionId);
        return { seq: await session.answer(params.approvalId, params.decision, 'owner', seq => record({ seq })) };
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
    'changes.acceptAll': params =>
      idempotency.once('changes.acceptAll', params, record => acceptAll(dependencies, sessions, params, record)),
    'pullRequest.open': params =>
      idempotency.once('pullRequest.open', params, record =>
        landings.run(params.sessionId, () => openPullRequest(dependencies, sessions, params, record)),
      ),
  };
}

async function acceptAll(
  dependencies: Dependencies,
  sessions: Sessions,
  { sessionId, expectedProposed: accepted }: CheckedParams<'changes.acceptAll'>,
  record: RecordOf,
): Promise<CallResult<'changes.acceptAll'>> {
  const session = await sessions.get(sessionId);
  refuseStale(session.log.state.proposed, accepted);
  await updateRef(mirrorOf(dependencies, session.log.state), acceptedRef(sessionId), accepted);
  const { events } = await session.record(state => {
    refuseStale(state.proposed, accepted);
    return {
      events: [{ type: 'changesAccepted', checkpoint: accepted, by: 'owner' }],
      call: seq => record({ accepted, seq }),
    };
  });
  return { accepted, seq: events.at(-1)?.seq ?? session.log.state.seq };
}

async function openPullRequest(
  dependencies: Dependencies,
  sessions: Sessions,
  params: CheckedParams<'pullRequest.open'>,
  record: RecordOf,
): Promise<CallResult<'pullRequest.open'>> {
  const session = await sessions.get(params.sessionId);
  const { pullRequest, created, landed } = await land(dependencies, session.log, params, async runtime => {
    await session.record(() => ({ events: [], runtime }));
  });
  const { events } = await session.record(() => ({
    events: [{ type: 'pullRequestOpened', pullRequest, created, by: 'owner' }],
    runtime: { landed },
    call: seq => record({ pullRequest, created, seq }),
  }));
  return { pullRequest, created, seq: events.at(-1)?.seq ?? session.log.state.seq };
}

function refuseStale(actual: string, expected: string): void {
  if (actual !== expected) {
    throw new SandpiperError('stale', 'The agent has made another checkpoint since you looked.', {
      hint: 'Look at the changes again.',
      details: { proposed: actual },
    });
  }
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
