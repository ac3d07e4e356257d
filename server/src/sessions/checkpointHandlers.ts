import type { CallHandlers } from '../../../protocol/calls.ts';
import type { CallContext } from '../core/callContext.ts';
import { branchSession } from './branchSession.ts';
import type { Dependencies } from './dependencies.ts';
import type { Idempotency, RecordOf } from './idempotency.ts';
import { startRestore, type RestoreRequest } from './restoreDecisions.ts';
import type { Session } from './session.ts';
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
        return { restore: await restore(session, request, record) };
      }),
    'checkpoint.undo': params =>
      idempotency.once('checkpoint.undo', params, async record => {
        const session = await sessions.get(params.sessionId);
        await dependencies.requireRoom(params.sessionId);
        const request = { kind: 'undo', restore: params.restore, stop: params.stop } as const;
        return { restore: await restore(session, request, record) };
      }),
    'checkpoint.branch': params =>
      idempotency.once('checkpoint.branch', params, record => branchSession(dependencies, sessions, params, record)),
  };
}

/** Begins a restore; its name. @throws as startRestore() does */
function restore(session: Session, request: RestoreRequest, record: RecordOf): Promise<number> {
  return session.perform((agent, state, runtime) => ({
    ...startRestore(agent, state, runtime, request),
    call: seq => record({ restore: seq }),
  }));
}
