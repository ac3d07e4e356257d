import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { serveE2bFiles } from './envdFiles.ts';
import { serveE2bProcesses } from './envdProcesses.ts';
import { sendEmpty, sendJson } from './httpParts.ts';

/*
 * E2B's daemon of a sandbox, played inside a box: `node envd.ts SOCKET`. Who may call it is checked in front of it.
 */

const server = createServer((request, response) => {
  serve(request, response).catch((error: unknown) => {
    if (response.headersSent) {
      response.destroy();
    } else {
      sendJson(response, 500, { code: 500, message: String(error) });
    }
  });
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://box');
  if (url.pathname === '/health') {
    sendEmpty(response, 204);
  } else if (url.pathname === '/files') {
    await serveE2bFiles(request, response, url);
  } else {
    await serveE2bProcesses(request, response, url.pathname);
  }
}

server.listen(process.argv[2], () => process.stdout.write('ready\n'));
