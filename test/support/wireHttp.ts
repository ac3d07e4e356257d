import { connect } from 'node:net';
import { isRecord } from '../../protocol/isRecord.ts';
import { WIRE_TOKEN } from './wireServer.ts';

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

export interface AskOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
  /** Sent as it is. */
  rawBody?: string | Uint8Array<ArrayBuffer>;
  token?: string | undefined;
}

/** One request with the token of the test relay, unless told otherwise. */
export async function ask(url: string, options: AskOptions = {}): Promise<Answer> {
  const { method = 'GET', body, rawBody } = options;
  const token = 'token' in options ? options.token : WIRE_TOKEN;
  const sent = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
  });
  const text = await response.text();
  const parsed: unknown = /json/.test(response.headers.get('content-type') ?? '') && text ? JSON.parse(text) : { text };
  return { status: response.status, headers: response.headers, body: isRecord(parsed) ? parsed : { parsed } };
}

/** Sends bytes as they are and returns all that comes back until the relay closes or `untilText` was seen. */
export function askRaw(port: number, request: string, untilText?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    let text = '';
    socket.on('data', chunk => {
      text += chunk.toString('latin1');
      if (untilText !== undefined && text.includes(untilText)) {
        socket.destroy();
      }
    });
    socket.on('close', () => resolve(text));
    socket.on('error', error => (text === '' ? reject(error) : resolve(text)));
  });
}

/** The status of the first answer in `askRaw`'s text. */
export function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
}
