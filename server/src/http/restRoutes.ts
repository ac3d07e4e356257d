import { Router } from 'express';
import type { Request, Response } from 'express';
import { calls } from '../../../protocol/calls.ts';
import type { CallName } from '../../../protocol/calls.ts';
import { isRecord } from '../../../protocol/isRecord.ts';
import type { CallContext } from '../core/callContext.ts';
import { callHandler } from '../core/dispatch.ts';
import type { HandledCall, RelayHandlers } from '../core/dispatch.ts';
import { paramsReader } from './restParams.ts';

export interface RestCall {
  name: HandledCall;
  method: 'get' | 'post' | 'patch' | 'delete';
  /** With `{name}` segments. */
  path: string;
}

/** Every call that has a route. */
export const restCalls: readonly RestCall[] = Object.entries(calls).flatMap(([name, call]) =>
  'rest' in call && isHandledCall(name) ? [{ name, ...call.rest }] : [],
);

function isHandledCall(name: string): name is HandledCall {
  return Object.hasOwn(calls, name) && name !== 'session.subscribe' && name !== 'session.unsubscribe';
}

/** The routes of all calls, made from the table of calls. */
export function restRoutes(handlers: RelayHandlers, nextConnection: () => string, checkResults: boolean): Router {
  const router = Router({ caseSensitive: true, strict: true });
  for (const { name, method, path } of restCalls) {
    const read = paramsReader(name, method);
    router[method](path.replaceAll(/\{(\w+)\}/g, ':$1'), async (request: Request, response: Response) => {
      const params = read({
        path: request.params,
        query: request.query,
        body: request.body,
        idempotencyKey: request.get('idempotency-key'),
      });
      const context = httpContext(request, nextConnection());
      const result: unknown = await callHandler(handlers, name, params, context, checkResults);
      answer(name, request, response, result);
    });
  }
  return router;
}

export function httpContext(request: Request, connection: string): CallContext {
  const client = { name: (request.get('user-agent') ?? 'http').slice(0, 100), version: '' };
  return { client, connection, principal: 'owner' };
}

function answer(name: CallName, request: Request, response: Response, result: unknown): void {
  const fields = isRecord(result) ? result : {};
  if (name === 'session.create' && typeof fields['sessionId'] === 'string') {
    response.status(201).location(`/v1/sessions/${fields['sessionId']}`);
  }
  if (name === 'session.get') {
    const etag = `"${String(fields['seq'])}"`;
    response.set('ETag', etag);
    if (matches(request.get('if-none-match'), etag)) {
      response.status(304).end();
      return;
    }
  }
  if (typeof fields['nextCursor'] === 'string') {
    const query = new URLSearchParams(
      Object.entries(request.query).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
    );
    query.set('cursor', fields['nextCursor']);
    response.links({ next: `${request.path}?${query.toString()}` });
  }
  response.type('application/json').send(JSON.stringify(result));
}

function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const given = (ifNoneMatch ?? '').split(',').map(tag => tag.trim().replace(/^W\//, ''));
  return given.includes(etag) || given.includes('*');
}
