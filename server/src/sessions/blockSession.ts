import { toError, toSandpiperError, type SandpiperError } from '../../../protocol/errors.ts';
import { explainDiskFull } from '../core/diskSpace.ts';
import { isHalted } from './decisions.ts';
import type { Dependencies } from './dependencies.ts';
import { toFailure } from './failure.ts';
import type { SessionLog } from './sessionLog.ts';

/** Says in both logs why a session cannot go on; in its own not twice. @returns what was said */
export async function blockSession(
  { log: logger }: Pick<Dependencies, 'log'>,
  log: SessionLog,
  error: unknown,
): Promise<SandpiperError> {
  const failure = toSandpiperError(explainDiskFull(error));
  const isOurs = failure.code === 'internal';
  logger.log(isOurs ? 'error' : 'warn', 'session', failure.message, {
    sessionId: log.state.id,
    code: failure.code,
    ...(isOurs ? { stack: toError(failure.cause ?? failure).stack } : {}),
  });
  await log.update(state =>
    isHalted(state) ? undefined : { events: [{ type: 'sessionBlocked', failure: toFailure(failure) }] },
  );
  return failure;
}
