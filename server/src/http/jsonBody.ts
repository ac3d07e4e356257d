import type { Request, RequestHandler } from 'express';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { HttpLimits } from './limits.ts';

/**
 * Reads a JSON body into `request.body`. It is measured while it comes, and one that is too large is answered at once and
 * not after its end, which its sender may never send.
 */
export function jsonBody(limits: HttpLimits): RequestHandler {
  return async (request, _response, next) => {
    const announcedBytes = Number(request.headers['content-length'] ?? 0);
    if (request.headers['transfer-encoding'] === undefined && announcedBytes === 0) {
      next();
      return;
    }
    if (!request.is('application/json') || (request.headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw new SandpiperError('invalid_request', 'Bodies are JSON and not compressed.', {
        hint: 'Send Content-Type: application/json and no Content-Encoding.',
      });
    }
    if (announcedBytes > limits.maxBodyBytes) {
      throw tooLarge(limits.maxBodyBytes);
    }
    request.body = parse(await readBody(request, limits.maxBodyBytes));
    next();
  };
}

/** @throws `too_large` as soon as it is, `disconnected` */
export function readBody(request: Request, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        chunks.length = 0;
        reject(tooLarge(maxBytes));
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => reject(new SandpiperError('disconnected', 'The client went away.')));
  });
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new SandpiperError('invalid_request', 'The body is not JSON in UTF-8.');
  }
}

function tooLarge(maxBytes: number): SandpiperError {
  return new SandpiperError('too_large', `The body is larger than ${maxBytes} bytes.`);
}
