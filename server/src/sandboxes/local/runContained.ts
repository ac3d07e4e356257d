import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Readable, Writable } from 'node:stream';
import { SandpiperError, toSandpiperError } from '../../../../protocol/errors.ts';
import { haltSignal } from '../../core/halting.ts';
import { hasErrorCode } from './safeFolder.ts';

interface ProgramSpec {
  file: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
  stdin?: Uint8Array | undefined;
  /** Given on descriptor 4; what comes back on descriptor 3 is `status`. Without it the program gets neither. */
  control?: string;
  timeoutMs: number;
  maxOutputBytes: number;
  /** Kills the program and everything that it started. */
  kill(child: ChildProcess): Promise<void>;
}

interface ProgramResult {
  /** As a shell has it: 127 when there is no such program, 126 when it cannot be run, 128 + n after signal n. */
  code: number;
  stdout: Buffer;
  stderr: Buffer;
  status: string;
}

/** How long what a program left behind may keep its output open. */
const LEFTOVER_MS = 200;
const SIGNALS: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

/**
 * Runs a program to its end, in a process group of its own.
 * @throws `timeout` and `too_large`, after everything was killed
 */
export async function runContained(spec: ProgramSpec): Promise<ProgramResult> {
  return new Run(spec).result;
}

class Run {
  readonly result: Promise<ProgramResult>;
  readonly #spec: ProgramSpec;
  readonly #child: ChildProcess;
  readonly #output = { stdout: new Array<Buffer>(), stderr: new Array<Buffer>(), status: new Array<Buffer>() };
  #bytes = 0;
  #failure: SandpiperError | undefined;
  #killing: Promise<void> | undefined;

  constructor(spec: ProgramSpec) {
    this.#spec = spec;
    const stdin = spec.stdin === undefined ? 'ignore' : 'pipe';
    this.#child = spawn(spec.file, [...spec.args], {
      cwd: spec.cwd,
      env: spec.env,
      detached: true,
      stdio: spec.control === undefined ? [stdin, 'pipe', 'pipe'] : [stdin, 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    this.result = this.#run();
  }

  async #run(): Promise<ProgramResult> {
    const { stdio } = this.#child;
    this.#collect(stdio[1], 'stdout');
    this.#collect(stdio[2], 'stderr');
    this.#collect(stdio[3], 'status');
    feed(stdio[0], this.#spec.stdin);
    feed(stdio[4], this.#spec.control);
    const timer = setTimeout(() => this.#stop(timedOut(this.#spec.timeoutMs)), this.#spec.timeoutMs);
    const halt = haltSignal();
    const onHalt = () => this.#stop(toSandpiperError(halt?.reason));
    if (halt?.aborted === true) {
      onHalt();
    }
    halt?.addEventListener('abort', onHalt);
    try {
      const code = await this.#ended();
      await this.#killing;
      if (this.#failure !== undefined) {
        throw this.#failure;
      }
      return {
        code,
        stdout: Buffer.concat(this.#output.stdout),
        stderr: Buffer.concat(this.#output.stderr),
        status: Buffer.concat(this.#output.status).toString(),
      };
    } finally {
      clearTimeout(timer);
      halt?.removeEventListener('abort', onHalt);
    }
  }

  /** Ended and its output closed. */
  async #ended(): Promise<number> {
    return new Promise((resolve, reject) => {
      let leftover: NodeJS.Timeout | undefined;
      this.#child.on('exit', () => {
        leftover = setTimeout(() => this.#kill(), LEFTOVER_MS);
      });
      this.#child.on('close', (code, signal) => {
        clearTimeout(leftover);
        resolve(code ?? 128 + (signal === null ? 0 : (SIGNALS[signal] ?? 0)));
      });
      this.#child.on('error', error => {
        const code = hasErrorCode(error, 'ENOENT') ? 127 : hasErrorCode(error, 'EACCES') ? 126 : undefined;
        if (code === undefined) {
          reject(error);
        } else {
          this.#output.stderr.push(Buffer.from(`${error.message}\n`));
          resolve(code);
        }
      });
    });
  }

  #collect(stream: unknown, kind: 'stdout' | 'stderr' | 'status'): void {
    if (!(stream instanceof Readable)) {
      return;
    }
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (this.#bytes > this.#spec.maxOutputBytes) {
        this.#stop(tooLarge(this.#spec.maxOutputBytes));
      } else {
        this.#output[kind].push(chunk);
      }
    });
  }

  #stop(failure: SandpiperError): void {
    this.#failure ??= failure;
    this.#kill();
  }

  #kill(): void {
    this.#killing ??= this.#spec
      .kill(this.#child)
      .catch((error: unknown) => {
        this.#failure ??= error instanceof SandpiperError ? error : undefined;
      })
      .finally(() => {
        // What even now holds the other end is none of ours: do not wait for it.
        setTimeout(() => this.#child.stdio.forEach(stream => stream?.destroy()), LEFTOVER_MS).unref();
      });
  }
}

/** A program need not read its input. */
function feed(stream: unknown, data: Uint8Array | string | undefined): void {
  if (stream instanceof Writable && data !== undefined) {
    stream.on('error', () => {});
    stream.end(data);
  }
}

function timedOut(timeoutMs: number): SandpiperError {
  return new SandpiperError('timeout', `A program in the sandbox was stopped after ${timeoutMs / 1000} s.`, {
    hint: 'Try again; the machine may have been busy.',
  });
}

function tooLarge(maxOutputBytes: number): SandpiperError {
  return new SandpiperError('too_large', `A program in the sandbox wrote more than ${maxOutputBytes} bytes.`, {
    hint: 'It was stopped. Have it write less, or into a file.',
  });
}
