import { randomUUID } from 'node:crypto';
import { SandpiperError } from '../../../../protocol/errors.ts';
import type { ExecResult } from '../provider.ts';
import type { RemoteDriver, RemoteRun } from '../remote/remoteDriver.ts';
import { MAX_INLINE_BYTES, shellRunCommand, shellRunOutcome, type ShellRun } from './shellRun.ts';
import type { VendorLine } from './vendorLine.ts';

/** What a vendor's SDK does for one sandbox. Everything throws VendorFailures. */
export interface VendorShell {
  /** Runs a text in bash and gives what it wrote to stdout. */
  shell(command: string, signal: AbortSignal): Promise<string>;
  /** Writes a file whole; the same call twice is harmless. */
  upload(path: string, data: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Brings the sandbox back when it was paused or stopped. */
  wake(): Promise<void>;
}

/**
 * Runs programs in a vendor's sandbox through its shell, each exactly once whatever happens to calls and answers.
 * @param folders of a new sandbox, made together with the first run
 */
export function shellDriver(
  shell: VendorShell,
  line: VendorLine,
  wake: () => Promise<void>,
  folders: readonly string[] = [],
): RemoteDriver {
  const finished: string[] = [];
  let lacking = folders;

  const stdinOf = async (name: string, run: RemoteRun): Promise<ShellRun['stdin']> => {
    const { stdin, signal } = run;
    if (stdin === undefined || stdin.length <= MAX_INLINE_BYTES) {
      return stdin && { bytes: stdin };
    }
    const path = `/tmp/.sandpiper-input-${name}`;
    await line.call(async () => shell.upload(path, stdin, signal), { wake, signal });
    return { path };
  };

  const play = async (argv: readonly string[], run: RemoteRun): Promise<ExecResult> => {
    const name = randomUUID();
    const { env, maxOutputBytes, signal } = run;
    const stdin = await stdinOf(name, run);
    const done = finished.splice(0, 50);
    const plan: ShellRun = { name, argv, env, stdin, maxOutputBytes, finished: done, folders: lacking };
    const command = shellRunCommand(plan);
    if (command.length > 120_000) {
      throw new SandpiperError('too_large', 'A program with its arguments is too long for this kind of sandbox.');
    }
    for (;;) {
      signal.throwIfAborted();
      const text = async (): Promise<ExecResult | undefined> =>
        shellRunOutcome(plan, await shell.shell(command, signal));
      const outcome = await line.call(text, { wake, signal }).catch((error: unknown) => {
        finished.push(name);
        throw error;
      });
      if (outcome) {
        finished.push(name);
        lacking = [];
        return outcome;
      }
    }
  };

  return {
    run: async (argv, run) =>
      // The way may hang: what is to stop, stops here.
      Promise.race([play(argv, run), whenAborted(run.signal)]),
  };
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(new Error('The run was given up.'));
    if (signal.aborted) {
      stop();
    } else {
      signal.addEventListener('abort', stop, { once: true });
    }
  });
}

/** Many calls find at the same moment that a sandbox sleeps; it is woken once for all of them. */
export function wakingOnce(shell: VendorShell): () => Promise<void> {
  let waking: Promise<void> | undefined;
  return async () => {
    waking ??= shell.wake().finally(() => {
      waking = undefined;
    });
    await waking;
  };
}
