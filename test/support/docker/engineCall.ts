import { request } from 'node:http';

/** One call of the engine's API, past Sandpiper: what a person does with `docker`. */
export function engineCall(socket: string, method: string, path: string, body?: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const asking = request({ socketPath: socket, method, path, headers: body ? headers : {} }, answer => {
      let text = '';
      answer.on('data', chunk => (text += String(chunk)));
      answer.on('end', () => {
        if ((answer.statusCode ?? 500) >= 400) {
          reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
        } else {
          resolve(text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text);
        }
      });
    });
    asking.on('error', reject);
    asking.end(body && JSON.stringify(body));
  });
}
