import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { toError } from '../../../protocol/errors.ts';
import type { Logger } from '../core/log.ts';
import { aliveAnswer } from './aliveAnswer.ts';
import type { Guard } from './guard.ts';
import { securityHeadersFor } from './securityHeaders.ts';

export interface LateHttpApp {
  readonly listener: RequestListener;
  /** Loads it before somebody needs it. */
  load(): void;
}

/**
 * Stands for the HTTP application until that is loaded, which takes an eighth of the time that a relay needs to answer after
 * a kill. Clients only ask `GET /livez` before they open a WebSocket, so that is answered here; any other request waits.
 */
export function lateHttpApp(
  { guard, log, version }: { guard: Guard; log: Logger; version: string },
  load: () => Promise<RequestListener>,
): LateHttpApp {
  let app: RequestListener | undefined;
  let loading: Promise<void> | undefined;
  const loaded = (): Promise<void> => (loading ??= load().then(made => void (app = made)));
  return {
    listener: (request, response) => {
      if (app) {
        app(request, response);
      } else if (isProbe(request) && guard.check(request, false).kind !== 'refused') {
        answerProbe(request, response, aliveAnswer(guard, request, version));
      } else {
        loaded().then(
          () => app?.(request, response),
          (thrown: unknown) => {
            log.log('error', 'http', 'The HTTP application cannot be loaded', { error: toError(thrown).message });
            response.writeHead(500).end();
          },
        );
      }
    },
    load: () => void loaded().catch(() => {}),
  };
}

function isProbe({ method, url }: IncomingMessage): boolean {
  return method === 'GET' && url === '/livez';
}

/** Byte for byte what the application answers. */
function answerProbe(request: IncomingMessage, response: ServerResponse, answer: unknown): void {
  const body = JSON.stringify(answer);
  for (const [name, value] of Object.entries(securityHeadersFor(request.headers.host))) {
    response.setHeader(name, value);
  }
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}
