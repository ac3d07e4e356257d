import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';
import type { Request, RequestHandler } from 'express';
import { newId } from '../../../protocol/ids.ts';
import { callHandler, type RelayHandlers } from '../core/dispatch.ts';
import type { createMcpResponder } from '../mcp/httpHandler.ts';
import type { RelayAccess } from '../mcp/relayAccess.ts';
import type { EventSource } from '../sessions/eventSource.ts';
import { httpContext } from './restRoutes.ts';

/**
 * The Model Context Protocol at `/mcp`, without sessions of its own. The library is loaded with the first request.
 * @param nextConnection names a request
 */
export function mcpRoute(
  handlers: RelayHandlers,
  source: EventSource,
  nextConnection: () => string,
  version: string,
): RequestHandler {
  let responder: Promise<ReturnType<typeof createMcpResponder>> | undefined;
  return async (request, response) => {
    responder ??= import('../mcp/httpHandler.ts').then(library => library.createMcpResponder(version));
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const answer = await (
      await responder
    )(
      { method: request.method, headers: headersOf(request), body: request.body, signal: gone.signal },
      accessOf(handlers, source, request, nextConnection()),
    );
    response.status(answer.status).set(answer.headers);
    if (answer.body === null) {
      response.end();
      return;
    }
    // What it began and cannot finish, because the client went away, nobody waits for.
    await pipeline(Readable.fromWeb(ReadableStream.from(answer.body)), response).catch(() => response.destroy());
  };
}

function accessOf(handlers: RelayHandlers, source: EventSource, request: Request, connection: string): RelayAccess {
  const context = httpContext(request, connection);
  return {
    call: (name, params) => callHandler(handlers, name, { key: newId('key'), ...params }, context),
    changed: (sessionId, afterSeq, signal) => changed(source, sessionId, afterSeq, signal),
  };
}

async function changed(source: EventSource, sessionId: string, afterSeq: number, signal: AbortSignal): Promise<void> {
  let over = (): void => {};
  const happened = new Promise<void>(resolve => (over = resolve));
  const following = source.follow(sessionId, { onEvents: over, onDelta: () => {} });
  signal.addEventListener('abort', over);
  try {
    const [already] = await source.read(sessionId, afterSeq, 1);
    if (!already && !signal.aborted) {
      await happened;
    }
  } finally {
    signal.removeEventListener('abort', over);
    following.dispose();
  }
}

/** What the protocol looks at; the token stays here. */
function headersOf(request: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      typeof value === 'string' && (name === 'accept' || name === 'content-type' || name.startsWith('mcp-'))
        ? [[name, value]]
        : [],
    ),
  );
}
