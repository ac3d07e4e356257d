import type { CallHandlers } from '../../../protocol/calls.ts';
import type { CallContext } from '../core/callContext.ts';
import { branchSession } from './branchSession.ts';
import type { Dependencies } from './dependencies.ts';
import type { Idempotency } from './idempotency.ts';
import type { Sessions } from './sessions.ts';

export type CheckpointHandlers = Pick<
  CallHandlers<CallContext>,
  'checkpoint.restore' | 'checkpoint.undo' | 'checkpoint.branch'
>;

/** The calls that go back to a turn. */
export function checkpointHandlers(
  dependencies: Dependencies,
  sessions: Sessions,
  idempotency: Idempotency,
): CheckpointHandlers {
  return {
    'checkpoint.restore': params =>
      idempotency.once('checkpoint.restore', params, async record => {
        const { sessionId, turn, code, conversation, stop } = params;
        const session = await sessions.get(sessionId);
        await dependencies.requireRoom(sessionId);
        const request = { kind: 'restore', turn, code, conversation, stop } as const;
        return { restore: await session.restore(request, restore => record({ restore })) };
      }),
    'checkpoint.undo': params =>
      idempotency.once('checkpoint.undo', params, async record => {
        const session = await sessions.get(params.sessionId);
        await dependencies.requireRoom(params.sessionId);
        const request = { kind: 'undo', restore: params.restore, stop: params.stop } as const;
        return { restore: await session.restore(request, restore => record({ restore })) };
      }),
    'checkpoint.branch': params =>
      idempotency.once('checkpoint.branch', params, record => branchSession(dependencies, sessions, params, record)),
  };
}
