import type { Duplex } from 'node:stream';
import { SandpiperError } from '../../../../protocol/errors.ts';

const HEADER_BYTES = 8;
const STDERR = 2;

/**
 * What a program wrote, from the one stream that the engine sends: frames of a kind, a length and that many bytes.
 * @throws `too_large`, the reason of the signal, the stream's own error
 */
export async function readExecStream(
  stream: Duplex,
  { stdin, maxOutputBytes, signal }: { stdin: Uint8Array | undefined; maxOutputBytes: number; signal: AbortSignal },
): Promise<{ stdout: Buffer; stderr: Buffer }> {
  const frames = new Frames(maxOutputBytes);
  const onAbort = () => stream.destroy(new Error('The program was given up.'));
  signal.addEventListener('abort', onAbort);
  try {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      stream.on('data', (chunk: Buffer) => {
        try {
          frames.push(chunk);
        } catch (error) {
          reject(error);
        }
      });
      stream.on('end', resolve);
      stream.on('close', resolve);
      stream.on('error', (error: Error) => {
        // A program need not read its input.
        if ('code' in error && error.code === 'EPIPE') {
          return;
        }
        reject(error);
      });
      if (stdin !== undefined) {
        stream.end(stdin);
      }
    });
    return { stdout: Buffer.concat(frames.stdout), stderr: Buffer.concat(frames.stderr) };
  } finally {
    signal.removeEventListener('abort', onAbort);
    stream.destroy();
  }
}

/** Cuts the stream into frames; they come in pieces of any size. */
class Frames {
  readonly stdout: Buffer[] = [];
  readonly stderr: Buffer[] = [];
  readonly #maxBytes: number;
  #bytes = 0;
  #header = Buffer.alloc(0);
  #left = 0;
  #kind = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#left === 0) {
        const needed = HEADER_BYTES - this.#header.length;
        this.#header = Buffer.concat([this.#header, rest.subarray(0, needed)]);
        rest = rest.subarray(needed);
        if (this.#header.length < HEADER_BYTES) {
          return;
        }
        this.#kind = this.#header.readUInt8(0);
        this.#left = this.#header.readUInt32BE(4);
        this.#header = Buffer.alloc(0);
      } else {
        const part = rest.subarray(0, this.#left);
        rest = rest.subarray(part.length);
        this.#left -= part.length;
        this.#take(part);
      }
    }
  }

  #take(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) {
      throw new SandpiperError('too_large', `A program in the sandbox wrote more than ${this.#maxBytes} bytes.`, {
        hint: 'It was stopped. Have it write less, or into a file.',
      });
    }
    (this.#kind === STDERR ? this.stderr : this.stdout).push(part);
  }
}
