import type { Isolation } from '../../../protocol/events.ts';
import type { Disposable } from '../core/disposable.ts';

/*
 * What makes sandboxes, and what a sandbox can do. Deliberately without streams, stdin handles, terminals or git: those
 * are the parts that break over a network. Everything else (agents, git, journals) is built on these few operations.
 *
 * Failures are SandpiperErrors: `sandbox_unavailable` (the engine, SDK or tool is missing or does not answer),
 * `sandbox_gone` (it no longer exists), `isolation_consent_needed`, `disk_full`, `timeout`, `too_large`, `invalid_params`.
 */

export interface Capabilities {
  isolation: Isolation;
  /** Host folders can be bound into the sandbox, so git objects need not be copied. */
  hostMounts: boolean;
  /** A unix socket of the relay can be bound into the sandbox: model calls need no network at all. */
  modelSocket: boolean;
}

export interface ProbeResult {
  available: boolean;
  capabilities: Capabilities;
  /** Why it is not available, or a warning about how it is. One sentence for a person. */
  reason?: string;
  hint?: string;
}

/** All that is stored of a sandbox. */
export interface SandboxRef {
  provider: string;
  id: string;
}

export interface ListedSandbox extends SandboxRef {
  key: string;
}

export interface Mount {
  hostPath: string;
  /** Absolute, inside the sandbox. */
  path: string;
}

export interface CreateSpec {
  /** Idempotency key: the same key gives the same sandbox, never two. The session's id. */
  key: string;
  /** The user's consent to run with isolation `none`, for this session. */
  acceptNoIsolation: boolean;
  /** Bound read-only; left out where the provider has no `hostMounts`. */
  mounts: readonly Mount[];
  /** Folder of the relay with the model gateway's socket in it; appears as `paths.relay` inside, with `modelSocket`. */
  relayFolder?: string;
}

/** Absolute paths inside the sandbox. */
export interface SandboxPaths {
  /** The clone that the agent works in. */
  workspace: string;
  home: string;
  /** Journals, one folder a segment; written by the relay and by agent-run.sh. */
  journal: string;
  /** Where `CreateSpec.relayFolder` appears. */
  relay: string;
}

export interface ExecOptions {
  cwd?: string;
  /** The whole environment besides HOME and PATH, which the sandbox sets. Nothing is inherited from the relay. */
  env?: Readonly<Record<string, string>>;
  stdin?: Uint8Array;
  /** After this the process and its children are killed and the call fails with `timeout`. */
  timeoutMs: number;
  /** More output than this fails with `too_large`. Default 8 MiB. */
  maxOutputBytes?: number;
}

export interface ExecResult {
  /** A non-zero code is a result, not an error. */
  code: number;
  stdout: Buffer;
  stderr: Buffer;
}

export interface StartOptions {
  cwd: string;
  env: Readonly<Record<string, string>>;
}

/** What the operating system says of a program and all that it started. */
export interface Vitals {
  /** Processor time they have used so far, in milliseconds; not less when one of them has ended. */
  cpuMs: number;
  /** One of them is held by a signal (SIGSTOP) and does not run. */
  held: boolean;
}

export interface Sandbox {
  readonly ref: SandboxRef;
  readonly isolation: Isolation;
  readonly paths: SandboxPaths;
  /** What `CreateSpec.mounts` names is there. Otherwise everything that is needed inside is to be written into it. */
  readonly hostMounts: boolean;
  /** The relay's sockets in `CreateSpec.relayFolder` are there. Otherwise the model is reached by an address. */
  readonly modelSocket: boolean;

  /** Runs a program to its end. `argv` is never given to a shell. Ended, with its children, by `haltSignal()` (core/halting.ts). */
  exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult>;

  /**
   * Starts a program that outlives the relay, with its output discarded (the journal script keeps its own).
   * `name` is unique in the sandbox; starting a name that is alive fails with `conflict`.
   */
  start(name: string, argv: readonly string[], options: StartOptions): Promise<void>;
  alive(name: string): Promise<boolean>;
  /** Undefined when it does not run, or where this cannot be known. Cheap: no look at other processes. */
  vitals?(name: string): Promise<Vitals | undefined>;
  /** Environment and command line of all that runs in it, where programs of `exec` cannot see what `start` began. */
  processTexts?(): Promise<{ pid: number; text: Buffer }[]>;
  /** Kills what `start` began and every descendant, also those in sessions of their own. Returns when all are dead. */
  kill(name: string): Promise<void>;

  /** Writes a file whole, by rename; makes parent folders; the same call twice is harmless. */
  writeFile(path: string, data: Uint8Array, options?: { mode?: number }): Promise<void>;
  /** Bytes from `offset`: `maxBytes`, fewer only where the file ends; empty at the end, `missing` when there is no such regular file. Links are not followed. */
  readFrom(path: string, offset: number, maxBytes: number): Promise<{ data: Buffer; missing: boolean }>;
  /** Calls back soon after the file grew. May call back without cause, may miss none. Polls where it cannot watch. */
  watch(path: string, onChange: () => void): Disposable;
  /** Puts one newline into a FIFO without waiting for a reader. Best effort: the reader also polls. */
  wake(fifo: string): Promise<void>;
}

export interface SandboxProvider {
  readonly id: string;
  probe(): Promise<ProbeResult>;
  create(spec: CreateSpec): Promise<Sandbox>;
  /** No side effect; `sandbox_gone` when it does not exist. */
  attach(ref: SandboxRef): Promise<Sandbox>;
  /**
   * Makes a sandbox in which nothing runs that of another key, with its files: quicker than `create`, and not there where it
   * would not be. Undefined when that key has one already, or `from` does not isolate as it would.
   */
  adopt?(from: SandboxRef, spec: CreateSpec): Promise<Sandbox | undefined>;
  /** Every sandbox of this relay with the key that it was made for, for reconciliation. */
  list(): Promise<ListedSandbox[]>;
  /**
   * Ends what a relay that was killed had running in passing (`exec`), nothing that was started to last, and forgets
   * sandboxes that it had not finished making. For the start of a relay, before anything else.
   */
  endAbandoned?(): Promise<void>;
  /** Kills everything in it and removes it, or what is left running of one that is gone. Idempotent. */
  destroy(ref: SandboxRef): Promise<void>;
}
