import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import { haltSignal } from './halting.ts';

export interface ProgramOptions {
  /** The whole environment: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  cwd?: string;
  /** Given whole, or as a stream that is read only as fast as the program takes it. Default: empty. */
  stdin?: Uint8Array | AsyncIterable<Uint8Array>;
  /** After this the program and its process group are killed and the call fails with `timeout`. */
  timeoutMs: number;
  /** Limit of stdout. Default 8 MiB. Of stderr the first 64 KiB are kept and the rest is dropped. */
  maxOutputBytes?: number;
  /** What more output than that does: `fail` (default) throws `too_large`, `cut` kills the program and keeps what came. */
  onTooMuch?: 'fail' | 'cut';
  /** Default: that of what is being run (`runHalting`). */
  signal?: AbortSignal;
}

export interface ProgramResult {
  /** Undefined when a signal ended it. A non-zero code is a result, not an error. */
  code: number | undefined;
  signal: NodeJS.Signals | undefined;
  stdout: Buffer;
  stderr: Buffer;
  /** The output was longer than the limit (only with `onTooMuch: 'cut'`). */
  cut: boolean;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const DEFAULT_MAX_OUTPUT_BYTES = 8 * 1024 * 1024;
const MAX_STDERR_BYTES = 64 * 1024;
/** How long output may stay open after the program ended, before what it left behind is killed. */
const LINGER_MS = 2000;
const WINDOWS = process.platform === 'win32';

/**
 * Runs a program to its end, never through a shell. When this settles the program is dead.
 * @param argv the program and its arguments
 * @throws `unavailable` when it cannot be started, `timeout`, `too_large`; the signal's reason when aborted; whatever
 *   the stdin stream throws
 */
export function runProgram(argv: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  const [program, ...args] = argv;
  if (program === undefined) {
    return Promise.reject(new SandpiperError('invalid_params', 'There is no program to run.'));
  }
  const halt = options.signal ?? haltSignal();
  if (halt?.aborted) {
    return Promise.reject(toError(halt.reason));
  }
  return new Promise((resolve, reject) => {
    // A group of its own, so that children of the program can be killed with it.
    const child = spawn(program, args, {
      env: options.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      detached: !WINDOWS,
      shell: false,
      windowsHide: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let failure: Error | undefined;
    let linger: NodeJS.Timeout | undefined;
    const fail = (error: Error) => {
      failure ??= error;
      killGroup(child);
    };
    const timer = setTimeout(
      () => fail(new SandpiperError('timeout', `${program} did not finish within ${options.timeoutMs / 1000} s.`)),
      options.timeoutMs,
    );
    const onAbort = () => fail(toError(halt?.reason));
    halt?.addEventListener('abort', onAbort, { once: true });
    const release = () => {
      clearTimeout(timer);
      clearTimeout(linger);
      halt?.removeEventListener('abort', onAbort);
    };
    const collected = collect(child, program, options, fail);

    child.on('error', error => {
      if (child.pid === undefined) {
        release();
        reject(notStarted(program, error));
      } else {
        fail(error);
      }
    });
    child.on('exit', () => {
      linger = setTimeout(() => {
        killGroup(child);
        child.stdout.destroy();
        child.stderr.destroy();
      }, LINGER_MS);
    });
    child.on('close', (code, signal) => {
      release();
      if (failure) {
        reject(failure);
      } else {
        resolve({ code: code ?? undefined, signal: signal ?? undefined, ...collected() });
      }
    });
    feed(child.stdin, options.stdin).catch((thrown: unknown) => fail(toError(thrown)));
  });
}

function collect(child: Child, program: string, options: ProgramOptions, fail: (error: Error) => void) {
  const max = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES;
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let stdoutBytes = 0;
  let stderrBytes = 0;
  let cut = false;
  child.stdout.on('data', (chunk: Buffer) => {
    if (cut) {
      return;
    }
    const room = max - stdoutBytes;
    stdout.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    stdoutBytes += chunk.length;
    if (chunk.length > room) {
      cut = true;
      if (options.onTooMuch === 'cut') {
        killGroup(child);
      } else {
        fail(new SandpiperError('too_large', `${program} printed more than ${max} bytes.`));
      }
    }
  });
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderrBytes < MAX_STDERR_BYTES) {
      stderr.push(chunk.subarray(0, MAX_STDERR_BYTES - stderrBytes));
      stderrBytes += chunk.length;
    }
  });
  return () => ({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), cut });
}

/** Rejects only when the source fails: a program that stops reading early says why by its exit code. */
async function feed(stdin: Writable, source: ProgramOptions['stdin']): Promise<void> {
  stdin.on('error', () => {});
  if (source === undefined || source instanceof Uint8Array) {
    stdin.end(source);
    return;
  }
  for await (const chunk of source) {
    if (stdin.destroyed) {
      return;
    }
    if (!stdin.write(chunk)) {
      await writable(stdin);
    }
  }
  stdin.end();
}

function writable(stdin: Writable): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      stdin.off('drain', done);
      stdin.off('close', done);
      resolve();
    };
    stdin.on('drain', done);
    stdin.on('close', done);
  });
}

function killGroup(child: Child): void {
  if (child.pid === undefined) {
    return;
  }
  if (WINDOWS) {
    spawn('taskkill', ['/pid', String(child.pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true }).on('error', () =>
      child.kill('SIGKILL'),
    );
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}

function notStarted(program: string, error: Error): SandpiperError {
  return new SandpiperError('unavailable', `The program ${program} could not be started: ${error.message}.`, {
    hint: `Install ${program}, or put it on the PATH of the relay.`,
    cause: error,
  });
}
