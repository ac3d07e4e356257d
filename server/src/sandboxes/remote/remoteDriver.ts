import type { ExecResult } from '../provider.ts';

export interface RemoteRun {
  /** The programs that Sandpiper runs take what they do not want out of it again, so more than this is no harm. */
  env: Readonly<Record<string, string>>;
  stdin: Uint8Array | undefined;
  /** Of stdout and stderr together; more fails with `too_large`. */
  maxOutputBytes: number;
  /** When it is aborted the call fails soon, in any way. Whether the program ended is not its business. */
  signal: AbortSignal;
}

/**
 * The one thing that an engine or a vendor must be able to do for a sandbox that is not on the relay's own disk: run a
 * program in it, as the sandbox's user. Everything else is made of that.
 */
export interface RemoteDriver {
  /**
   * Runs a program to its end; `argv` is never given to a shell. It ends when the program ends and its output is closed.
   * @throws `sandbox_gone`, `sandbox_unavailable`, `too_large`
   */
  run(argv: readonly string[], run: RemoteRun): Promise<ExecResult>;
}
