import { createReadStream, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';

/*
 * Parts of an HTTP server, for both sides of a box's wall. Modules of this folder run alone inside a box: they may import
 * one another and what comes with Node, nothing else.
 */

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

export function sendEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}

/** A file as Go's http.ServeContent sends it: one range, 416 at and after the end. Follows links, as that does. */
export function sendFile(request: IncomingMessage, response: ServerResponse, path: string): void {
  const { size, mtime } = statSync(path);
  const headers = {
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'last-modified': mtime.toUTCString(),
  };
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = Number(range?.[1] ?? 0);
  const end = Math.min(range?.[2] ? Number(range[2]) : size - 1, size - 1);
  if (range && start >= size) {
    response
      .writeHead(416, { ...headers, 'content-range': `bytes */${size}` })
      .end('invalid range: failed to overlap\n');
    return;
  }
  const partial = range ? { 'content-range': `bytes ${start}-${end}/${size}` } : {};
  response.writeHead(range ? 206 : 200, { ...headers, ...partial, 'content-length': end - start + 1 });
  if (size === 0) {
    response.end();
  } else {
    createReadStream(path, { start, end })
      .on('error', () => response.destroy())
      .pipe(response);
  }
}

/** What is wrong with this system call's error: ENOENT and the like; '' for other errors. */
export function errnoOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** A value of parsed JSON, for daemons that have no schema library. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

export function textField(value: unknown, name: string): string | undefined {
  const field = fieldsOf(value)[name];
  return typeof field === 'string' ? field : undefined;
}
