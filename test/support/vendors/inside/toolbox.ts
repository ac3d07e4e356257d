import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname, posix } from 'node:path';
import { bodyOf, fieldsOf, sendFile, sendJson, textField } from './httpParts.ts';

/*
 * Daytona's daemon of a sandbox, played inside a box: `node toolbox.ts SOCKET`. Who may call it is checked in front of it.
 */

const HOME = process.env['HOME'] ?? '/home/daytona';

const server = createServer((request, response) => {
  serve(request, response).catch((error: unknown) => {
    if (response.headersSent) {
      response.destroy();
    } else {
      fail(response, 500, 'INTERNAL', String(error));
    }
  });
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://box');
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /version':
      sendJson(response, 200, { version: 'v0.190.0' });
      return;
    case 'POST /process/execute':
      execute(response, JSON.parse((await bodyOf(request)).toString()));
      return;
    case 'GET /files/download':
      download(request, response, absolute(url.searchParams.get('path') ?? ''));
      return;
    case 'POST /files/bulk-upload':
      await upload(request, response);
      return;
    default:
      fail(response, 404, 'NOT_FOUND', `no route ${url.pathname}`);
  }
}

/** Out and err come merged, as text; the deadline kills the shell and what is in its group. */
function execute(response: ServerResponse, input: unknown): void {
  const given = Object.entries(fieldsOf(fieldsOf(input)['envs'])).map(([name, value]) => [name, String(value)]);
  const child = spawn('/bin/bash', ['-c', 'exec 2>&1; eval "$1"', 'bash', textField(input, 'command') ?? ''], {
    cwd: textField(input, 'cwd') ?? HOME,
    env: { ...process.env, ...Object.fromEntries(given) },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  const seconds = Number(fieldsOf(input)['timeout'] ?? 0);
  let late = false;
  const kill = (): void => {
    late = true;
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  };
  const timer = seconds > 0 ? setTimeout(kill, seconds * 1000) : undefined;
  child.once('error', error => fail(response, 400, 'BAD_REQUEST', error.message));
  child.once('close', code => {
    clearTimeout(timer);
    if (late) {
      fail(response, 408, 'PROCESS_EXECUTION_TIMEOUT', 'command execution timeout');
    } else {
      sendJson(response, 200, { exitCode: code ?? -1, result: Buffer.concat(output).toString('utf8') });
    }
  });
}

function download(request: IncomingMessage, response: ServerResponse, path: string): void {
  if (!existsSync(path)) {
    fail(response, 404, 'FILE_NOT_FOUND', 'file not found');
  } else if (!statSync(path).isFile()) {
    fail(response, 400, 'INVALID_FILE_PATH', 'path must be a file');
  } else {
    sendFile(request, response, path);
  }
}

async function upload(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = new Uint8Array(await bodyOf(request));
  const type = request.headers['content-type'] ?? '';
  const form = await new Response(body, { headers: { 'content-type': type } }).formData();
  for (const [name, file] of form) {
    const number = /^files\[(\d+)\]\.file$/.exec(name)?.[1];
    if (number !== undefined && typeof file !== 'string') {
      const given = form.get(`files[${number}].path`);
      const path = absolute(typeof given === 'string' ? given : '');
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, Buffer.from(await file.arrayBuffer()));
    }
  }
  response.writeHead(200).end();
}

function fail(response: ServerResponse, statusCode: number, code: string, message: string): void {
  const timestamp = new Date().toISOString();
  sendJson(response, statusCode, {
    statusCode,
    message,
    code,
    source: 'DAYTONA_DAEMON',
    timestamp,
    path: '',
    method: '',
  });
}

function absolute(path: string): string {
  return posix.isAbsolute(path) ? posix.normalize(path) : posix.join(HOME, path);
}

server.listen(process.argv[2], () => process.stdout.write('ready\n'));
