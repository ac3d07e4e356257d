import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { createServer, type Socket } from 'node:net';
import { fieldsOf } from './httpParts.ts';

/*
 * What runs programs in a pod, played inside a box: `node kubelet.ts SOCKET`. A connection is one program: a line of JSON with
 * its `argv` and whether it has `stdin`, then that; back come frames of a channel, a length in four bytes and so many bytes.
 * A program outlives its connection, as in the real one, and its input ends with it.
 */

const CHANNEL = { stdout: 1, stderr: 2, status: 3 };

const server = createServer({ allowHalfOpen: true }, socket => {
  let head = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  const onData = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\n');
    if (end >= 0) {
      socket.off('data', onData);
      run(socket, JSON.parse(head.subarray(0, end).toString()), head.subarray(end + 1));
    }
  };
  socket.on('data', onData);
});

function run(socket: Socket, input: unknown, first: Buffer): void {
  const { argv, stdin } = fieldsOf(input);
  const [file = '', ...args] = Array.isArray(argv) ? argv.map(String) : [];
  const child = spawn(file, args, {
    cwd: '/',
    stdio: [stdin === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const send = (channel: number, bytes: Buffer): void => {
    const frame = Buffer.alloc(5);
    frame[0] = channel;
    frame.writeUInt32BE(bytes.length, 1);
    if (socket.writable) {
      socket.write(Buffer.concat([frame, bytes]));
    }
  };
  child.stdin?.on('error', () => {});
  child.stdin?.write(first);
  socket.on('data', (chunk: Buffer) => child.stdin?.write(chunk));
  socket.on('end', () => child.stdin?.end());
  socket.on('close', () => child.stdin?.end());
  child.stdout?.on('data', (chunk: Buffer) => send(CHANNEL.stdout, chunk));
  child.stderr?.on('data', (chunk: Buffer) => send(CHANNEL.stderr, chunk));
  const finish = (status: object): void => {
    send(CHANNEL.status, Buffer.from(JSON.stringify({ metadata: {}, ...status })));
    socket.end();
  };
  child.once('error', error =>
    finish({ status: 'Failure', message: error.message, reason: 'InternalError', code: 500 }),
  );
  // When the program and whatever holds its output have ended.
  child.once('close', (code, signal) => {
    const exit = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
    finish(exit === 0 ? { status: 'Success' } : failure(exit));
  });
}

function failure(code: number): object {
  return {
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  };
}

server.listen(process.argv[2], () => process.stdout.write('ready\n'));
