import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { e2bFilesystemCall } from './envdFiles.ts';
import { bodyOf, fieldsOf, sendJson, textField } from './httpParts.ts';

/*
 * The Connect services of envd. Output that nobody is subscribed to is lost, and a deadline kills the program but not what
 * that started: as in the real one.
 */

interface Running {
  child: ChildProcess;
  config: Record<string, unknown>;
}

const running = new Map<number, Running>();
const END_OF_STREAM = 2;

export async function serveE2bProcesses(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const body = await bodyOf(request);
  const streamed = (request.headers['content-type'] ?? '').startsWith('application/connect+json');
  const text = (streamed ? body.subarray(5) : body).toString();
  const input: unknown = text === '' ? {} : JSON.parse(text);
  const [service, call = ''] = path.slice(1).split('/');
  if (service === 'filesystem.Filesystem') {
    const answer = e2bFilesystemCall(call, input);
    sendJson(response, answer?.status ?? 404, answer?.body ?? { code: 'unimplemented', message: path });
  } else if (path === '/process.Process/Start') {
    start(request, response, input);
  } else if (path === '/process.Process/Connect') {
    const found = selected(input);
    if (found) {
      stream(response, found.child, Number(request.headers['keepalive-ping-interval'] ?? 90));
    } else {
      response.writeHead(200, { 'content-type': 'application/connect+json' });
      response.end(envelope(END_OF_STREAM, { error: { code: 'not_found', message: 'process not found' } }));
    }
  } else {
    unary(response, path, input);
  }
}

function unary(response: ServerResponse, path: string, input: unknown): void {
  const found = selected(input);
  if (path === '/process.Process/List') {
    sendJson(response, 200, { processes: [...running].map(([pid, { config }]) => ({ config, pid })) });
  } else if (!found) {
    sendJson(response, 404, { code: 'not_found', message: 'process not found' });
  } else if (path === '/process.Process/SendInput') {
    found.child.stdin?.write(Buffer.from(textField(fieldsOf(input)['input'], 'stdin') ?? '', 'base64'));
    sendJson(response, 200, {});
  } else if (path === '/process.Process/CloseStdin') {
    found.child.stdin?.end();
    sendJson(response, 200, {});
  } else if (path === '/process.Process/SendSignal') {
    found.child.kill(textField(input, 'signal') === 'SIGNAL_SIGTERM' ? 'SIGTERM' : 'SIGKILL');
    sendJson(response, 200, {});
  } else {
    sendJson(response, 404, { code: 'unimplemented', message: path });
  }
}

function start(request: IncomingMessage, response: ServerResponse, input: unknown): void {
  const config = fieldsOf(fieldsOf(input)['process']);
  const args = Array.isArray(config['args']) ? config['args'].map(String) : [];
  const given = Object.entries(fieldsOf(config['envs'])).map(([name, value]) => [name, String(value)]);
  const child = spawn(String(config['cmd']), args, {
    cwd: textField(config, 'cwd') ?? process.env['HOME'],
    env: { ...process.env, ...Object.fromEntries(given) },
    stdio: [fieldsOf(input)['stdin'] === false ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) {
    child.once('error', error => {
      response.writeHead(200, { 'content-type': 'application/connect+json' });
      response.end(envelope(END_OF_STREAM, { error: { code: 'invalid_argument', message: error.message } }));
    });
    return;
  }
  running.set(pid, { child, config });
  const timeoutMs = Number(request.headers['connect-timeout-ms'] ?? 0);
  const timer = timeoutMs > 0 ? setTimeout(() => child.kill('SIGKILL'), timeoutMs) : undefined;
  child.once('exit', () => {
    clearTimeout(timer);
    running.delete(pid);
  });
  stream(response, child, Number(request.headers['keepalive-ping-interval'] ?? 90));
}

function stream(response: ServerResponse, child: ChildProcess, keepAliveSeconds: number): void {
  response.writeHead(200, { 'content-type': 'application/connect+json', 'connect-content-encoding': 'identity' });
  const send = (event: unknown): void => {
    response.write(envelope(0, { event }));
  };
  send({ start: { pid: child.pid } });
  const timer = setInterval(() => send({ keepalive: {} }), 1000 * keepAliveSeconds);
  const onOut = (data: Buffer): void => send({ data: { stdout: data.toString('base64') } });
  const onErr = (data: Buffer): void => send({ data: { stderr: data.toString('base64') } });
  const onClose = (code: number | null, signal: NodeJS.Signals | null): void => {
    clearInterval(timer);
    const status = signal === null ? `exit status ${code}` : `signal: ${signalText(signal)}`;
    const failure = code === 0 ? {} : { error: status };
    send({ end: { exitCode: code ?? -1, exited: signal === null, status, ...failure } });
    response.end(envelope(END_OF_STREAM, {}));
  };
  child.stdout?.on('data', onOut);
  child.stderr?.on('data', onErr);
  child.on('close', onClose);
  response.once('close', () => {
    clearInterval(timer);
    child.stdout?.off('data', onOut);
    child.stderr?.off('data', onErr);
    child.off('close', onClose);
    child.stdout?.resume();
    child.stderr?.resume();
  });
}

/** As Go names it. */
function signalText(signal: NodeJS.Signals): string {
  return signal === 'SIGKILL' ? 'killed' : signal === 'SIGTERM' ? 'terminated' : String(constants.signals[signal]);
}

function selected(input: unknown): Running | undefined {
  return running.get(Number(fieldsOf(fieldsOf(input)['process'])['pid']));
}

function envelope(flags: number, message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}
