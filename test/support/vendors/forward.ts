import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';

/**
 * Hands a request on to the daemon of a box and its answer back, as it comes. `body` in place of what was already read.
 * @returns when the answer has ended, however it ended
 */
export async function forward(
  socketPath: string,
  incoming: IncomingMessage,
  response: ServerResponse,
  options: { path: string; body?: Buffer; onAnswer?: (status: number, chunk: Buffer) => void },
): Promise<void> {
  await new Promise<void>(resolve => {
    const outgoing = httpRequest({
      socketPath,
      method: incoming.method,
      path: options.path,
      headers: incoming.headers,
    });
    response.once('close', () => {
      outgoing.destroy();
      resolve();
    });
    outgoing.on('response', answer => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.flushHeaders();
      answer.on('data', (chunk: Buffer) => {
        options.onAnswer?.(answer.statusCode ?? 500, chunk);
        response.write(chunk);
      });
      answer.on('end', () => response.end());
      answer.on('error', () => response.destroy());
    });
    outgoing.on('error', () => response.destroy());
    if (options.body) {
      outgoing.end(options.body);
    } else {
      incoming.pipe(outgoing);
    }
  });
}
