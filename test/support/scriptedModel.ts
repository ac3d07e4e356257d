import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pause, playStep, preciseNow, Reply, wholeMessage } from './modelReply.ts';
import {
  lastPrompt,
  conversationOf,
  imagesOf,
  messagesRequestSchema,
  planOf,
  type ConversationPart,
  type MessagesRequest,
  type Plan,
  type Step,
  type StepInput,
} from './modelScript.ts';

/*
 * A Messages API on loopback that answers what the prompt itself says (modelScript.ts). The real Claude Code CLI works
 * against it without a network. Besides scripts it plays two measuring kinds, `SCN:deltas:<count>:<intervalMs>:<run>` and
 * `SCN:tools:<count>:0:<run>`: every delta carries `[run.index]` and the moment it was sent is in the log.
 */

export interface ScriptedModelOptions {
  /** The one key that is accepted, as `x-api-key` or bearer; without it every key is. */
  apiKey?: string;
  /** What it does when a prompt carries no script. */
  fallback?: readonly StepInput[];
  port?: number;
}

interface SeenRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  /** Absent when the body had none. */
  model: string | undefined;
  /** Texts of the last message of the user. */
  prompt: string[];
  /** Of the whole conversation, in base64. */
  images: string[];
  bytes: number;
  at: number;
}

/** When something was sent, in milliseconds since the epoch with fractions, the same for every process here. */
type SendLogEntry =
  { kind: 'delta'; run: string; index: number; at: number } | { kind: 'end'; run: string; at: number };

export interface ScriptedModel {
  url: string;
  requests(): SeenRequest[];
  /** What the last request told of the conversation, without what the agent adds of its own. */
  lastConversation(): ConversationPart[];
  /** Also at GET /__log, for other processes. */
  sendLog(): SendLogEntry[];
  /** Forgets requests, the log and how often scripted accidents happened. Also POST /__reset. */
  reset(): void;
  close(): Promise<void>;
}

const ERROR_TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

export async function startScriptedModel(options: ScriptedModelOptions = {}): Promise<ScriptedModel> {
  const seen: SeenRequest[] = [];
  const sent: SendLogEntry[] = [];
  const accidents = new Map<string, number>();
  let answers = 0;
  let lastMessages: MessagesRequest['messages'] = [];

  const reset = (): void => {
    seen.length = 0;
    sent.length = 0;
    accidents.clear();
  };
  const happensNow = (key: string, times: number): boolean => {
    const count = (accidents.get(key) ?? 0) + 1;
    accidents.set(key, count);
    return count <= times;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    request.socket.setNoDelay(true);
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (path === '/__log') {
      sendJson(response, 200, sent);
      return;
    }
    if (path === '/__reset') {
      reset();
      sendJson(response, 200, {});
      return;
    }
    const body = await readBody(request);
    const parsed = messagesRequestSchema.safeParse(jsonOf(body));
    seen.push({
      method: request.method ?? '',
      path,
      headers: flat(request),
      model: parsed.data?.model,
      prompt: parsed.data ? lastPrompt(parsed.data) : [],
      images: parsed.data ? imagesOf(parsed.data) : [],
      bytes: body.length,
      at: preciseNow(),
    });
    if (request.method === 'HEAD') {
      response.writeHead(200).end();
    } else if (options.apiKey !== undefined && givenKey(request) !== options.apiKey) {
      sendError(response, 401, 'invalid x-api-key');
    } else if (path.endsWith('/v1/messages/count_tokens')) {
      sendJson(response, 200, { input_tokens: Math.round(body.length / 4) });
    } else if (path.endsWith('/v1/models')) {
      sendJson(response, 200, { data: [{ type: 'model', id: 'claude-scripted' }], has_more: false });
    } else if (!path.endsWith('/v1/messages') || !parsed.success) {
      sendError(response, path.endsWith('/v1/messages') ? 400 : 404, `no such thing: ${request.method} ${path}`);
    } else {
      await play(response, parsed.data, `${String(request.headers['x-claude-code-session-id'])} `);
    }
  };

  const play = async (response: ServerResponse, request: MessagesRequest, caller: string): Promise<void> => {
    const plan = planOf(request, options.fallback);
    const id = `msg_${Date.now().toString(36)}x${++answers}`;
    if (plan.kind === 'deltas' || plan.kind === 'tools') {
      await playMeasured(response, plan, id, request, sent);
      return;
    }
    lastMessages = plan.kind === 'title' ? lastMessages : request.messages;
    const step: Step = plan.kind === 'title' ? { text: '{"title":"Scripted title"}' } : plan.step;
    const accident =
      plan.kind === 'script' &&
      (step.status !== undefined || step.drop !== undefined || step.stallMs !== undefined) &&
      happensNow(caller + plan.key, step.times ?? (step.status === undefined ? 1 : Infinity));
    await pause(step.waitMs ?? 0);
    if (accident && step.status !== undefined) {
      sendError(response, step.status, step.message ?? `scripted ${step.status}`, step.retryAfter);
      return;
    }
    if (accident && step.drop === 'start') {
      response.destroy();
      return;
    }
    const told: Step = hasContent(step) ? step : { ...step, text: 'Recovered.' };
    const usage = { ...ZERO_CACHE, input_tokens: 1000, output_tokens: 50, ...step.usage };
    if (request.stream === true) {
      await playStep(new Reply(response, id, request.model, usage), told, accident);
    } else {
      sendJson(response, 200, wholeMessage(id, request.model, told, usage));
    }
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) {
        response.destroy();
      } else {
        sendError(response, 400, `the script is wrong: ${String(error)}`);
      }
    });
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('The scripted model has no port.');
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests: () => [...seen],
    sendLog: () => [...sent],
    lastConversation: () => conversationOf(lastMessages),
    reset,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const ZERO_CACHE = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };

async function playMeasured(
  response: ServerResponse,
  plan: Extract<Plan, { kind: 'deltas' | 'tools' }>,
  id: string,
  { model, tools = [] }: MessagesRequest,
  sent: SendLogEntry[],
): Promise<void> {
  const reply = new Reply(response, id, model, { ...ZERO_CACHE, input_tokens: 100, output_tokens: 20 });
  const { run } = plan;
  const first = plan.kind === 'tools' ? plan.done : 0;
  const texts = Array.from({ length: plan.kind === 'tools' ? 1 : plan.count }, (_, at) => `[${run}.${first + at}] `);
  const start = performance.now();
  await reply.block({ text: '' }, texts, async number => {
    const early = start + (number + (plan.kind === 'tools' ? 1 : 0)) * plan.intervalMs - performance.now();
    if (early > 1) {
      await pause(early);
    }
    sent.push({ kind: 'delta', run, index: first + number, at: preciseNow() });
  });
  const more = plan.kind === 'tools' && plan.done < plan.count;
  if (more) {
    const input = { command: `echo t${run}x${plan.done}`, description: 'Say step' };
    // Other agents than Claude Code write it small.
    const tool = tools.some(({ name }) => name === 'bash') ? 'bash' : 'Bash';
    await reply.block({ tool, input }, [JSON.stringify(input)], async () => {});
  }
  reply.end(more ? 'tool_use' : 'end_turn');
  sent.push({ kind: 'end', run, at: preciseNow() });
}

function hasContent(step: Step): boolean {
  return [step.text, step.thinking, step.tool, step.blocks].some(part => part !== undefined);
}

function givenKey(request: IncomingMessage): string | undefined {
  const key = request.headers['x-api-key'];
  return typeof key === 'string' ? key : request.headers.authorization?.replace(/^Bearer /i, '');
}

function flat(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendError(response: ServerResponse, status: number, message: string, retryAfter?: number): void {
  if (retryAfter !== undefined) {
    response.setHeader('retry-after', String(retryAfter));
  }
  const error = { type: ERROR_TYPES[status] ?? 'api_error', message };
  sendJson(response, status, { type: 'error', error, request_id: 'req_scripted' });
}
