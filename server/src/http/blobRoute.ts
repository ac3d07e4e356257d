import { once } from 'node:events';
import type { Request, RequestHandler, Response } from 'express';
import { SandpiperError } from '../../../protocol/errors.ts';
import { callHandler } from '../core/dispatch.ts';
import type { RelayHandlers } from '../core/dispatch.ts';
import { httpContext } from './restRoutes.ts';

const PAGE_BYTES = 1_000_000;

export type ByteRange = { kind: 'whole' } | { kind: 'part'; first: number; last: number } | { kind: 'unsatisfiable' };

/** What of `bytes` a Range header asks for. Several ranges, other units and nonsense are ignored, as HTTP allows. */
export function parseRange(header: string | undefined, bytes: number): ByteRange {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!match || (match[1] === '' && match[2] === '')) {
    return { kind: 'whole' };
  }
  const isSuffix = match[1] === '';
  const first = isSuffix ? Math.max(0, bytes - Number(match[2])) : Number(match[1]);
  const last = isSuffix || match[2] === '' ? bytes - 1 : Math.min(Number(match[2]), bytes - 1);
  if (first >= bytes || (isSuffix && Number(match[2]) === 0)) {
    return { kind: 'unsatisfiable' };
  }
  return first > last ? { kind: 'whole' } : { kind: 'part', first, last };
}

/** Streams a blob page by page, no faster than the client takes it. */
export function blobRoute(handlers: RelayHandlers, nextConnection: () => string): RequestHandler {
  return async (request, response) => {
    const context = httpContext(request, nextConnection());
    const read = async (offset: number, maxBytes: number): Promise<{ content: Buffer; bytes: number }> => {
      const { content, bytes } = await callHandler(
        handlers,
        'blob.read',
        { ...request.params, offset, maxBytes },
        context,
      );
      return { content: Buffer.from(content, 'base64'), bytes };
    };
    const { bytes } = await read(0, 1);
    const range = parseRange(request.get('range'), bytes);
    response.set({
      'Accept-Ranges': 'bytes',
      'Content-Type': 'application/octet-stream',
      'Content-Disposition': 'attachment',
      ETag: `"${String(request.params['hash'])}"`,
    });
    if (range.kind === 'unsatisfiable') {
      response.status(416).set('Content-Range', `bytes */${bytes}`).end();
      return;
    }
    const first = range.kind === 'part' ? range.first : 0;
    const end = range.kind === 'part' ? range.last + 1 : bytes;
    if (range.kind === 'part') {
      response.status(206).set('Content-Range', `bytes ${first}-${range.last}/${bytes}`);
    }
    response.set('Content-Length', String(end - first));
    await stream(request, response, first, end, read);
  };
}

async function stream(
  request: Request,
  response: Response,
  first: number,
  end: number,
  read: (offset: number, maxBytes: number) => Promise<{ content: Buffer }>,
): Promise<void> {
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  for (let offset = first; offset < end && !gone.signal.aborted;) {
    const { content } = await read(offset, Math.min(PAGE_BYTES, end - offset));
    if (content.length === 0) {
      throw new SandpiperError('internal', 'A blob is shorter than it was said to be.');
    }
    offset += content.length;
    if (!response.write(content)) {
      await once(response, 'drain', { signal: gone.signal }).catch(() => {});
    }
  }
  response.end();
}
