import type { ServerResponse } from 'node:http';
import type { ErrorCode } from '../../../protocol/errors.ts';

/**
 * An answer of the gateway itself, in the shape of the Messages API. The agent shows no more than the message, so a cause that
 * the relay must recognise later is put in front of it as `[code]`.
 */
export interface Refusal {
  status: number;
  type: string;
  message: string;
  code?: ErrorCode;
  /** Whether trying again at once can help; the CLI obeys. */
  retry: boolean;
}

type Fixed =
  | 'unauthorized'
  | 'starting'
  | 'notAllowed'
  | 'badOrigin'
  | 'noKey'
  | 'tooLarge'
  | 'badBody'
  | 'silent'
  | 'unreachable';

export const REFUSALS: Readonly<Record<Fixed, Refusal>> = {
  unauthorized: {
    status: 401,
    type: 'authentication_error',
    message: 'This is not the token of a session of this relay.',
    retry: false,
  },
  starting: {
    status: 503,
    type: 'overloaded_error',
    message: 'The relay has just started and does not serve this session yet.',
    retry: true,
  },
  notAllowed: { status: 404, type: 'not_found_error', message: 'The relay does not pass this call on.', retry: false },
  badOrigin: { status: 403, type: 'permission_error', message: 'Web pages may not call the relay.', retry: false },
  noKey: {
    status: 403,
    type: 'permission_error',
    code: 'model_key_missing',
    message: 'The relay has no model key.',
    retry: false,
  },
  tooLarge: { status: 413, type: 'request_too_large', message: 'The request is too large.', retry: false },
  badBody: { status: 400, type: 'invalid_request_error', message: 'The request has no readable body.', retry: false },
  silent: { status: 529, type: 'overloaded_error', message: 'The model service did not answer in time.', retry: true },
  unreachable: { status: 502, type: 'api_error', message: 'The relay cannot reach the model service.', retry: true },
};

export function budgetRefusal(budgetUsd: number): Refusal {
  return {
    status: 402,
    type: 'billing_error',
    code: 'budget_spent',
    message: `The session has spent its budget of $${budgetUsd.toFixed(2)}.`,
    retry: false,
  };
}

export function modelRefusal(model: string): Refusal {
  return {
    status: 403,
    type: 'permission_error',
    code: 'forbidden',
    message: `This session may not use the model ${model.slice(0, 100)}.`,
    retry: false,
  };
}

/** Answers unless an answer has begun. */
export function refuse(response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const message = refusal.code === undefined ? refusal.message : `[${refusal.code}] ${refusal.message}`;
  response.writeHead(refusal.status, {
    'content-type': 'application/json',
    'x-should-retry': String(refusal.retry),
    // The rest of a body that was refused is not read.
    connection: 'close',
  });
  response.end(JSON.stringify({ type: 'error', error: { type: refusal.type, message } }));
}
