import express, { Router } from 'express';
import type { Express, RequestHandler } from 'express';
import { z } from 'zod';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { hookForgeSchema, type HookForge } from '../../../protocol/hookCalls.ts';
import { WEBHOOK_ADDRESSES } from '../core/hookConfig.ts';
import { invalidParams } from '../core/dispatch.ts';
import type { RelayHandlers } from '../core/dispatch.ts';
import type { Logger } from '../core/log.ts';
import { SessionFeeds } from '../feed/sessionFeed.ts';
import type { EventSource } from '../sessions/eventSource.ts';
import { aliveAnswer } from './aliveAnswer.ts';
import { blobRoute } from './blobRoute.ts';
import { eventStreamRoute } from './eventStream.ts';
import type { Credential, Guard } from './guard.ts';
import { jsonBody } from './jsonBody.ts';
import { DEFAULT_HTTP_LIMITS } from './limits.ts';
import type { HttpLimits } from './limits.ts';
import { openApiDocument } from './openapi.ts';
import { mcpRoute } from './mcpRoute.ts';
import { restRoutes } from './restRoutes.ts';
import { noStore, securityHeaders } from './securityHeaders.ts';
import { discardBody, problemHandler, sendProblem } from './sendProblem.ts';
import type { TicketDesk } from './tickets.ts';
import {
  isWebhook,
  NAMED_WEBHOOK_ADDRESSES,
  namedWebhookRoute,
  webhookRoute,
  type NamedWebhookDoor,
  type WebhookDoor,
} from './webhookRoute.ts';

export interface HttpAppOptions {
  guard: Guard;
  tickets: TicketDesk;
  handlers: RelayHandlers;
  source: EventSource;
  /** Throws a SandpiperError while the relay cannot work. */
  ready(): Promise<void>;
  log: Logger;
  version: string;
  /** Takes what forges tell; absent: nothing is taken. */
  webhooks?: Readonly<Record<HookForge, WebhookDoor>>;
  /** Takes webhooks of the operator's own. */
  namedWebhooks?: NamedWebhookDoor;
  /** Folders whose files are the web page, `index.html` among them; the first that has a file serves it. */
  webFolders?: readonly string[];
  limits?: Partial<HttpLimits>;
  /** Hold results to their schemas too; for tests. */
  checkResults?: boolean;
}

/**
 * The relay over HTTP: probes, the REST routes of all calls, Server-Sent Events, blobs, tickets and the web page.
 * The order is the defence: headers, guard, size, parsing, routes.
 */
export function createHttpApp(options: HttpAppOptions): Express {
  const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);
  app.set('strict routing', true);

  app.use(securityHeaders);
  app.use(guarded(options, limits));
  app.get('/livez', noStore, (request, response) => {
    response.json(aliveAnswer(options.guard, request, options.version));
  });
  app.get('/readyz', noStore, async (_request, response) => {
    await options.ready().catch((thrown: unknown) => {
      const error = toSandpiperError(thrown);
      throw error.code === 'internal' ? new SandpiperError('unavailable', error.message, { cause: thrown }) : error;
    });
    response.json({ status: 'ready' });
  });
  for (const forge of hookForgeSchema.options) {
    app.post(WEBHOOK_ADDRESSES[forge], noStore, webhookRoute(forge, options.webhooks?.[forge]));
  }
  app.post(NAMED_WEBHOOK_ADDRESSES, noStore, namedWebhookRoute(options.namedWebhooks));
  app.use(['/v1', '/mcp'], noStore, jsonBody(limits));
  app.use(apiRoutes(options, limits));
  for (const folder of options.webFolders ?? []) {
    app.use(express.static(folder, { dotfiles: 'ignore', redirect: false, cacheControl: false, acceptRanges: false }));
  }
  app.use((request, _response) => {
    throw new SandpiperError('unknown_call', `There is no ${request.method} ${request.path.slice(0, 200)}.`, {
      hint: 'See /v1/openapi.json.',
    });
  });
  app.use(problemHandler(options.log, limits));
  return app;
}

function apiRoutes(options: HttpAppOptions, limits: HttpLimits): Router {
  const { handlers, source, log, tickets } = options;
  let requests = 0;
  const nextConnection = (): string => `http-${++requests}`;
  // Made when somebody asks: it would be a tenth of the time that a relay takes to start.
  let openApi: ReturnType<typeof openApiDocument> | undefined;
  const api = Router({ caseSensitive: true, strict: true });
  api.get('/v1/openapi.json', (_request, response) => {
    openApi ??= openApiDocument(options.version);
    response.json(openApi);
  });
  api.post('/v1/tickets', (_request, response) => {
    // A browser token that could make tickets would never have to expire.
    if (credentialOf(response.locals) !== 'relay') {
      throw new SandpiperError('forbidden', 'Only the token of the relay itself makes tickets.');
    }
    const { value, expiresAt } = tickets.issue();
    response.status(201).json({ ticket: value, expiresAt });
  });
  api.post('/v1/tickets/redeem', (request, response) => {
    const issued = tickets.redeem(ticketOf(request.body));
    if (!issued) {
      throw new SandpiperError('unauthorized', 'The ticket is used, expired or unknown.', {
        hint: 'Open the page anew.',
      });
    }
    response.status(201).json({ token: issued.value, expiresAt: issued.expiresAt });
  });
  api.all('/mcp', mcpRoute(handlers, source, nextConnection, options.version));
  api.get('/v1/sessions/:sessionId/events/stream', eventStreamRoute(new SessionFeeds(source, log), limits));
  api.get('/v1/sessions/:sessionId/blobs/:hash', blobRoute(handlers, nextConnection));
  api.use(restRoutes(handlers, nextConnection, options.checkResults ?? false));
  return api;
}

const ticketSchema = z.object({ ticket: z.string().max(200) });

function ticketOf(body: unknown): string {
  const parsed = ticketSchema.safeParse(body);
  if (!parsed.success) {
    throw invalidParams('tickets.redeem', parsed.error.issues);
  }
  return parsed.data.ticket;
}

/** Everything needs the token but what is listed here, so a forgotten route is closed rather than open. */
function needsToken(method: string, path: string, hasPage: boolean): boolean {
  if (path === '/livez' || (method === 'POST' && path === '/v1/tickets/redeem')) {
    return false;
  }
  const isPage = hasPage && (method === 'GET' || method === 'HEAD') && !/^\/+(v1|readyz|mcp)(\/|$)/i.test(path);
  return !isPage;
}

function guarded(options: HttpAppOptions, limits: HttpLimits): RequestHandler {
  const hasPage = (options.webFolders ?? []).length > 0;
  return (request, response, next) => {
    const isHook = isWebhook(request);
    const needs = !isHook && needsToken(request.method, request.path, hasPage);
    const decision = options.guard.check(request, needs, isHook);
    if (decision.kind === 'refused') {
      discardBody(request, limits.maxDiscardedBytes);
      sendProblem(response, decision.refusal.error, decision.refusal.status);
      return;
    }
    response.locals['credential'] = decision.credential;
    next();
  };
}

function credentialOf(locals: Record<string, unknown>): Credential {
  return locals['credential'] === 'relay' ? 'relay' : locals['credential'] === 'browser' ? 'browser' : 'none';
}
