import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { plainGitEnv } from '../plainGit.ts';

/** Answers a request of git's smart HTTP protocol through `git http-backend`; `path` is below the folder of repositories. */
export async function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  options: { root: string; path: string; query: string; user: string },
): Promise<void> {
  const header = (name: string) => String(request.headers[name] ?? '');
  const cgi = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: plainGitEnv({
      GIT_PROJECT_ROOT: options.root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: options.path,
      QUERY_STRING: options.query,
      REQUEST_METHOD: request.method ?? 'GET',
      REMOTE_USER: options.user,
      REMOTE_ADDR: '127.0.0.1',
      CONTENT_TYPE: header('content-type'),
      CONTENT_LENGTH: header('content-length'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      GIT_PROTOCOL: header('git-protocol'),
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.receivepack',
      GIT_CONFIG_VALUE_0: 'true',
    }),
  });
  response.on('close', () => cgi.kill());
  // A client that goes away, and a backend that has read enough, end a pipe early; both show elsewhere.
  const sent = pipeline(request, cgi.stdin).catch(() => {});
  let head = Buffer.alloc(0);
  for await (const chunk of cgi.stdout) {
    if (response.headersSent) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end >= 0) {
      writeHead(response, head.subarray(0, end).toString('latin1'));
      response.write(head.subarray(end + 4));
    }
  }
  await sent;
  if (!response.headersSent) {
    response.writeHead(500);
  }
  response.end();
}

function writeHead(response: ServerResponse, head: string): void {
  let status = 200;
  const headers: Record<string, string> = {};
  for (const line of head.split('\r\n')) {
    const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    if (name.toLowerCase() === 'status') {
      status = Number.parseInt(value, 10);
    } else if (name !== '') {
      headers[name] = value;
    }
  }
  response.writeHead(status, headers);
}
