import { SandpiperError, toError } from '../../../../protocol/errors.ts';
import { hasErrorCode } from './safeFolder.ts';

export function sandboxGone(id: string): SandpiperError {
  return new SandpiperError('sandbox_gone', `The sandbox ${id} no longer exists.`, {
    hint: 'Recover the session: it continues in a new sandbox from its last checkpoint.',
  });
}

/** An error of the system as one for a person. `what` says what failed, without a full stop. */
export function toSandboxError(thrown: unknown, what: string): SandpiperError {
  if (thrown instanceof SandpiperError) {
    return thrown;
  }
  const cause = toError(thrown);
  if (hasErrorCode(cause, 'ENOSPC', 'EDQUOT')) {
    return new SandpiperError('disk_full', `${what}: the disk is full.`, {
      hint: 'Free some space, or remove sessions that are no longer needed.',
      cause,
    });
  }
  if (hasErrorCode(cause, 'ELOOP', 'ENOTDIR', 'EISDIR')) {
    return new SandpiperError(
      'invalid_params',
      `${what}: a part of its path is a link, or no folder (${cause.message}).`,
      {
        hint: 'Links in the sandbox are not followed. Remove what stands in the way.',
        cause,
      },
    );
  }
  return new SandpiperError('sandbox_unavailable', `${what}: ${cause.message}.`, {
    hint: 'Look at the log of the relay, then try again.',
    cause,
  });
}
