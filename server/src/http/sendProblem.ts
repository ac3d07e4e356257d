import type { IncomingMessage } from 'node:http';
import type { ErrorRequestHandler, Response } from 'express';
import { isRecord } from '../../../protocol/isRecord.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { Logger } from '../core/log.ts';
import { toProblem } from '../core/problem.ts';
import type { HttpLimits } from './limits.ts';
import { pathWithoutSecret } from './webhookRoute.ts';

/** Answers with an RFC 9457 body. */
export function sendProblem(response: Response, error: SandpiperError, status?: number): void {
  const problem = toProblem(error, status, pathWithoutSecret(response.req.path));
  if (problem.status === 401) {
    response.set('WWW-Authenticate', 'Bearer');
  }
  if (error.retryable) {
    response.set('Retry-After', '1');
  }
  response.status(problem.status).set('Cache-Control', 'no-store').type('application/problem+json');
  response.send(JSON.stringify(problem));
}

/** The one place where what a route throws becomes an answer. */
export function problemHandler(log: Logger, limits: HttpLimits): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const error = fromExpress(thrown) ?? toSandpiperError(thrown);
    log.log(error.code === 'internal' ? 'error' : 'debug', 'http', 'A request failed', {
      method: request.method,
      path: pathWithoutSecret(request.path),
      code: error.code,
      error: error.message,
      ...(error.cause instanceof Error ? { stack: error.cause.stack } : {}),
    });
    discardBody(request, limits.maxDiscardedBytes);
    if (response.headersSent) {
      response.destroy();
    } else {
      sendProblem(response, error);
    }
  };
}

/** Reads on for a while, so that a client that is still sending gets to read why it was refused. */
export function discardBody(request: IncomingMessage, maxBytes: number): void {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      request.destroy();
    }
  });
}

/** Failures of express itself carry a status. */
function fromExpress(thrown: unknown): SandpiperError | undefined {
  if (thrown instanceof SandpiperError || !isRecord(thrown)) {
    return undefined;
  }
  const { status, message } = thrown;
  return typeof status === 'number' && status >= 400 && status < 500
    ? new SandpiperError('invalid_request', `The request cannot be read: ${String(message).slice(0, 200)}.`)
    : undefined;
}
