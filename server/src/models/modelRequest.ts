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

/** The whole body, or undefined when it is larger than the Messages API takes. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
    return undefined;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > MAX_BODY_BYTES) {
      return undefined;
    }
    chunks.push(buffer);
  }
  return Buffer.concat(chunks);
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
  return /^\{"model":"([^"\\]{1,200})"/.exec(body.toString('latin1', 0, 256))?.[1] ?? modelIn(body);
}
