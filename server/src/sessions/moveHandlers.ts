import type { CallHandlers } from '../../../protocol/calls.ts';
import type { CallContext } from '../core/callContext.ts';
import { checkIsolation } from './createSession.ts';
import type { Dependencies } from './dependencies.ts';
import type { Idempotency } from './idempotency.ts';
import { startMove } from './moveDecisions.ts';
import type { Sessions } from './sessions.ts';

/** The call that moves a session to another sandbox provider. */
export function moveHandlers(
  dependencies: Dependencies,
  sessions: Sessions,
  idempotency: Idempotency,
): Pick<CallHandlers<CallContext>, 'session.move'> {
  return {
    'session.move': params =>
      idempotency.once('session.move', params, async record => {
        const { sessionId, provider, acceptNoIsolation, stop } = params;
        const session = await sessions.get(sessionId);
        await dependencies.requireRoom(sessionId);
        const { permissionMode } = session.log.state;
        const isolation = await checkIsolation(dependencies, { provider, acceptNoIsolation, permissionMode });
        const move = await session.perform((agent, state, runtime) => ({
          ...startMove(agent, state, runtime, { provider, isolation, stop }),
          call: seq => record({ move: seq }),
        }));
        return { move };
      }),
  };
}
