import { SandpiperError } from '../../../../protocol/errors.ts';
import type { Disposable } from '../../core/disposable.ts';
import { locate } from '../local/insidePath.ts';
import type { ExecResult } from '../provider.ts';
import type { SandboxFileAccess } from '../sandboxFileAccess.ts';
import { FILE_EXIT, FILE_SCRIPT } from './fileScript.ts';
import { RemoteWatches } from './remoteWatches.ts';

/** Runs a script of Sandpiper's own in the sandbox. */
export type RunScript = (
  script: string,
  args: readonly string[],
  options: { stdin?: Uint8Array; timeoutMs: number; maxOutputBytes: number; signal?: AbortSignal },
) => Promise<ExecResult>;

const DEFAULT_MODE = 0o644;
const TIMEOUT_MS = 60_000;
const WAKE_TIMEOUT_MS = 5_000;
const SMALL_BYTES = 64 * 1024;

/** The files of a sandbox that can be reached by running programs in it only. */
export class RemoteFiles implements SandboxFileAccess {
  readonly #run: RunScript;
  readonly #roots: readonly string[];
  readonly #watches: RemoteWatches;

  constructor(run: RunScript, roots: readonly string[]) {
    this.#run = run;
    this.#roots = roots;
    this.#watches = new RemoteWatches(run);
  }

  async writeFile(path: string, data: Uint8Array, mode: number = DEFAULT_MODE): Promise<void> {
    const place = this.#place(path);
    const octal = (mode & 0o777).toString(8);
    const result = await this.#run(FILE_SCRIPT, ['write', ...place, octal, String(data.length)], {
      stdin: data,
      timeoutMs: TIMEOUT_MS,
      maxOutputBytes: SMALL_BYTES,
    });
    if (result.code !== 0) {
      throw writeFailure(path, result);
    }
  }

  async readFrom(path: string, offset: number, maxBytes: number): Promise<{ data: Buffer; missing: boolean }> {
    const place = this.#place(path);
    if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(maxBytes) || maxBytes < 0) {
      throw new SandpiperError('invalid_params', `Reading ${path} needs whole numbers, not ${offset} and ${maxBytes}.`);
    }
    const { code, stdout, stderr } = await this.#run(
      FILE_SCRIPT,
      ['read', ...place, String(offset + 1), String(maxBytes)],
      { timeoutMs: TIMEOUT_MS, maxOutputBytes: maxBytes + SMALL_BYTES },
    );
    if (code !== 0 && code !== FILE_EXIT.missing && code !== FILE_EXIT.refused) {
      throw new SandpiperError('sandbox_unavailable', `The file ${path} could not be read: ${said(stderr, code)}.`, {
        hint: 'Look at the log of the relay, then try again.',
      });
    }
    return { data: stdout, missing: code !== 0 };
  }

  watch(path: string, onChange: () => void): Disposable {
    this.#place(path);
    return this.#watches.add(path, onChange);
  }

  async wake(fifo: string): Promise<void> {
    const place = this.#place(fifo);
    // A full FIFO wakes as well as one more newline would: whether this one got in does not matter.
    await this.#run(FILE_SCRIPT, ['wake', ...place], {
      timeoutMs: WAKE_TIMEOUT_MS,
      maxOutputBytes: SMALL_BYTES,
    }).catch((error: unknown) => {
      if (!(error instanceof SandpiperError && error.code === 'timeout')) {
        throw error;
      }
    });
  }

  #place(path: string): [root: string, rest: string] {
    const { root, components } = locate(
      this.#roots.map(inside => ({ inside, host: inside })),
      path,
    );
    return [root.inside, components.join('/')];
  }
}

function writeFailure(path: string, { code, stderr }: ExecResult): SandpiperError {
  const what = `The file ${path} could not be written`;
  switch (code) {
    case FILE_EXIT.refused:
      return new SandpiperError('invalid_params', `${what}: a part of its path is a link, or no folder.`, {
        hint: 'Links in the sandbox are not followed. Remove what stands in the way.',
      });
    case FILE_EXIT.cut:
    case FILE_EXIT.failed:
      if (/No space left on device|Disk quota exceeded/.test(stderr.toString())) {
        return new SandpiperError('disk_full', `${what}: the disk of the sandbox is full.`, {
          hint: 'Remove files in it, or give it more room.',
        });
      }
      break;
    default:
  }
  return new SandpiperError('sandbox_unavailable', `${what}: ${said(stderr, code)}.`, {
    hint: 'Look at the log of the relay, then try again.',
  });
}

function said(stderr: Buffer, code: number): string {
  return stderr.toString().trim().split('\n').at(-1)?.slice(0, 300) || `exit code ${code}`;
}
