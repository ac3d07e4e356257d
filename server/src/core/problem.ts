import { STATUS_CODES } from 'node:http';
import { ERROR_CODES } from '../../../protocol/errors.ts';
import type { SandpiperError } from '../../../protocol/errors.ts';

/** An RFC 9457 body. `type` is a name, not an address: the code stands in docs/protocol.md. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  retryable: boolean;
  instance?: string;
  hint?: string;
  details?: Record<string, unknown>;
}

/** @param status where HTTP has a better word than the code's own */
export function toProblem(
  error: SandpiperError,
  status: number = ERROR_CODES[error.code].http,
  instance?: string,
): Problem {
  return {
    type: `urn:sandpiper:error:${error.code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: error.message,
    ...(instance === undefined ? {} : { instance }),
    ...error.toWire(),
  };
}

/** A request that is turned away before anything looks at it. */
export interface Refusal {
  status: number;
  error: SandpiperError;
}
