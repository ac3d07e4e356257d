import type { ServerResponse } from 'node:http';

/*
 * What a vendor can do wrong, switched on by a test. A fault belongs to requests whose `METHOD /path` a pattern matches, and
 * applies a number of times.
 */

export type Fault =
  /** Does what was asked; the answer never comes. */
  | { kind: 'lost' }
  /** Does not do it and answers this. */
  | { kind: 'answer'; status: number; headers?: Record<string, string>; body?: unknown }
  /** Does it, and cuts the answer after so many bytes of its body. */
  | { kind: 'cut'; afterBytes: number }
  /** Does nothing until the promise resolves. */
  | { kind: 'hold'; until: Promise<void> };

interface Armed {
  pattern: RegExp;
  fault: Fault;
  left: number;
}

export class Faults {
  #armed: Armed[] = [];

  set(pattern: RegExp, fault: Fault, times = 1): void {
    this.#armed.push({ pattern, fault, left: times });
  }

  clear(): void {
    this.#armed = [];
  }

  /** The fault of this request, which is used up by it. */
  take(request: string): Fault | undefined {
    const found = this.#armed.find(armed => armed.left > 0 && armed.pattern.test(request));
    if (!found) {
      return undefined;
    }
    found.left--;
    return found.fault;
  }
}

/** Makes a response end in the middle: `afterBytes` of its body are sent, then the connection is gone. */
export function cutAfter(response: ServerResponse, afterBytes: number): void {
  let left = afterBytes;
  const write = response.write.bind(response);
  const send = (chunk: unknown): boolean => {
    const bytes = Buffer.isBuffer(chunk) || typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.alloc(0);
    if (left > 0) {
      write(bytes.subarray(0, left));
    }
    left -= bytes.length;
    if (left <= 0) {
      // After what was written has left, so that the client has seen it.
      setImmediate(() => response.socket?.destroy());
    }
    return left > 0;
  };
  response.write = (chunk: unknown): boolean => send(chunk);
  response.end = (chunk?: unknown): ServerResponse => {
    left = Math.min(left, 1);
    send(chunk ?? '');
    response.socket?.destroySoon();
    return response;
  };
}

/** Takes an answer and gives it to nobody. */
export function toNobody(response: ServerResponse): ServerResponse {
  response.writeHead = () => response;
  response.write = () => true;
  response.end = () => {
    response.emit('close');
    return response;
  };
  return response;
}
