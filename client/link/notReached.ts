import { SandpiperError, toSandpiperError } from '../../protocol/errors.ts';
import { t } from '../../protocol/text.ts';

/**
 * So long a call that changes something waits for a connection before it is refused. A relay that restarts is back by
 * then; what a person asked for longer ago should not happen behind their back.
 */
export const NOT_REACHED_MS = 5_000;

/** Why a call was refused that never left, from what kept the connection from being there. */
export function notReached(thrown: unknown): SandpiperError {
  const cause = toSandpiperError(thrown);
  if (cause.code !== 'timeout' && cause.code !== 'disconnected') {
    return cause;
  }
  return new SandpiperError('unavailable', t('The relay cannot be reached, so nothing was done.'), {
    hint: t('Sandpiper reconnects by itself; do it again then.'),
    cause,
  });
}
