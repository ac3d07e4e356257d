import type { IncomingMessage } from 'node:http';

/** What the Messages API takes. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

export interface Target {
  url: URL;
  /** The body must name a model. */
  needsModel: boolean;
}

/** Questions of the CLI whether the host is there, answered here. */
export function isGreeting(request: IncomingMessage): boolean {
  const path = request.url?.split('?')[0];
  return (request.method === 'HEAD' && path === '/') || path === '/api/hello';
}

/** Where an allowed call goes. The raw path is matched, so that no encoding or dot segment gets through. */
export function targetOf(request: IncomingMessage, upstream: URL): Target | undefined {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const isMessage = request.method === 'POST' && /^\/v1\/messages(\/count_tokens)?$/.test(path);
  const isModels = request.method === 'GET' && /^\/v1\/models(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)?$/.test(path);
  if (!(isMessage || isModels) || !/^[\w=&.-]*$/.test(query)) {
    return undefined;
  }
  const url = new URL(upstream);
  url.pathname = `${upstream.pathname.replace(/\/+$/, '')}${path}`;
  url.search = query;
  return { url, needsModel: isMessage };
}

/** What a call brings. */
export interface RequestBody {
  bytes: number;
  /** All of it, or its beginning when there is a `rest`. */
  start: Buffer;
  /** Still to come, and paused. */
  rest?: IncomingMessage;
}

/**
 * The body of a call, or undefined when it is larger than the Messages API takes.
 * @param isEnough whether the beginning says all that must be known; what follows is then left where it is, since reading a
 *   long conversation first and sending it on afterwards would delay each call of an agent
 */
export async function readBody(
  request: IncomingMessage,
  isEnough: (start: Buffer) => boolean,
): Promise<RequestBody | undefined> {
  const announced = Number(request.headers['content-length'] ?? NaN);
  if (announced > MAX_BODY_BYTES) {
    return undefined;
  }
  const start = await firstPart(request);
  if (start.length < announced && isEnough(start)) {
    return { bytes: announced, start, rest: request };
  }
  const chunks = [start];
  let bytes = start.length;
  for await (const chunk of request) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) {
      return undefined;
    }
    chunks.push(part);
  }
  return { bytes, start: Buffer.concat(chunks) };
}

/** Empty when there is no body. */
function firstPart(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (part: Buffer): void => {
      request.off('data', take).off('end', none).off('error', reject).off('close', none);
      resolve(part);
    };
    const take = (part: Buffer): void => {
      request.pause();
      settle(part);
    };
    const none = (): void => settle(Buffer.alloc(0));
    request.on('data', take).once('end', none).once('error', reject).once('close', none);
  });
}

/** The model that a request asks for, or undefined when it is no such request. */
export function modelIn(body: Buffer): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    return typeof parsed === 'object' && parsed !== null && 'model' in parsed && typeof parsed.model === 'string'
      ? parsed.model
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The same at a fraction of the cost where nothing depends on it but an estimate: the model that the body names first. A
 * body that names another one later is believed, so this is no ground for allowing a call.
 */
export function likelyModelIn(body: Buffer): string | undefined {
  return firstModelIn(body) ?? modelIn(body);
}

/** The model that the body names first, when it begins with it, as those of Claude Code do. */
export function firstModelIn(start: Buffer): string | undefined {
  return /^\{"model":"([^"\\]{1,200})"/.exec(start.toString('latin1', 0, 256))?.[1];
}
