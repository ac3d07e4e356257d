import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import { gitEnvironment } from './git.ts';
import type { Mirror } from './mirror.ts';

export interface GitObject {
  type: 'blob' | 'tree' | 'commit' | 'tag';
  content: Buffer;
}

interface Question {
  resolve: (object: GitObject) => void;
  reject: (error: unknown) => void;
  id: string;
}

/** Larger objects are not held in memory. */
const MAX_OBJECT_BYTES = 64 * 1024 * 1024;

/**
 * Reads objects of a mirror through one `git cat-file --batch`, for as long as one operation needs them: the second
 * object costs no process. Dispose of it.
 */
export class ObjectReader {
  readonly #maxBytes: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #questions: Question[] = [];
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Of the answer that is coming: its header line is not in `#chunks` any more. */
  #header: { type: GitObject['type']; bytes: number } | undefined;
  #over: Error | undefined;

  /** @param maxBytes a larger object ends the reader */
  constructor(mirror: Mirror, maxBytes: number = MAX_OBJECT_BYTES) {
    this.#maxBytes = maxBytes;
    this.#child = spawn('git', ['cat-file', '--batch'], {
      env: { ...gitEnvironment(), GIT_DIR: mirror.path },
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    });
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', error => this.#fail(error));
    this.#child.on('close', code => this.#fail(new Error(`git cat-file ended with ${code}`)));
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      try {
        this.#answer();
      } catch (error) {
        this.#fail(toError(error));
      }
    });
  }

  /** @throws `git_failed` when there is no such object, `too_large` */
  read(id: string): Promise<GitObject> {
    if (!/^[0-9a-f]{40}$/.test(id)) {
      return Promise.reject(new SandpiperError('invalid_params', `"${id}" is not an object id.`));
    }
    if (this.#over) {
      return Promise.reject(failed(id, this.#over));
    }
    return new Promise((resolve, reject) => {
      this.#questions.push({ resolve, reject, id });
      this.#child.stdin.write(`${id}\n`);
    });
  }

  /** @throws `git_failed` when the object is of another type */
  async readAs(id: string, type: GitObject['type']): Promise<Buffer> {
    const object = await this.read(id);
    if (object.type !== type) {
      throw new SandpiperError('git_failed', `The object ${id} is a ${object.type}, not a ${type}.`);
    }
    return object.content;
  }

  dispose(): void {
    this.#fail(new Error('the reader was closed'));
    this.#child.kill('SIGKILL');
  }

  #fail(error: Error): void {
    this.#over ??= error;
    for (const { reject, id } of this.#questions.splice(0)) {
      reject(failed(id, error));
    }
  }

  #answer(): void {
    for (;;) {
      this.#header ??= this.#readHeader();
      // A newline follows the content.
      if (this.#header === undefined || this.#bytes < this.#header.bytes + 1) {
        return;
      }
      const { type, bytes } = this.#header;
      this.#header = undefined;
      const content = this.#take(bytes + 1).subarray(0, bytes);
      this.#questions.shift()?.resolve({ type, content });
    }
  }

  #readHeader(): GitObjectHeader | undefined {
    for (;;) {
      const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
      this.#chunks = all === undefined ? [] : [all];
      const end = all?.indexOf(10) ?? -1;
      if (end < 0) {
        return undefined;
      }
      const line = this.#take(end + 1).toString('utf8', 0, end);
      const [, type = '', size = ''] = /^[0-9a-f]+ (blob|tree|commit|tag) (\d+)$/.exec(line) ?? [];
      if (isType(type)) {
        if (Number(size) > this.#maxBytes) {
          throw new SandpiperError('too_large', `An object of ${size} bytes is too large to be taken apart.`);
        }
        return { type, bytes: Number(size) };
      }
      const question = this.#questions.shift();
      question?.reject(failed(question.id, new Error(line)));
    }
  }

  #take(bytes: number): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    const rest = all.subarray(bytes);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    return all.subarray(0, bytes);
  }
}

type GitObjectHeader = { type: GitObject['type']; bytes: number };

function isType(text: string): text is GitObject['type'] {
  return text === 'blob' || text === 'tree' || text === 'commit' || text === 'tag';
}

function failed(id: string, error: Error): SandpiperError {
  return error instanceof SandpiperError
    ? error
    : new SandpiperError('git_failed', `The object ${id} could not be read from the mirror: ${error.message}.`, {
        hint: 'Run `sandpiper doctor --deep` to check the mirror.',
        cause: error,
      });
}
