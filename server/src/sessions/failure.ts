import { SandpiperError } from '../../../protocol/errors.ts';
import type { Failure } from '../../../protocol/events.ts';
import { STOPPED_EARLY } from './agentEnd.ts';

/** An error as the log keeps it. */
export function toFailure(error: SandpiperError): Failure {
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    retryable: error.retryable,
  };
}

/** What ends the preparation of a turn that a person stopped. */
export function stoppedEarly(): SandpiperError {
  return new SandpiperError('stopped', STOPPED_EARLY.message);
}
