import type { CreateSpec, Sandbox, SandboxProvider } from '../../server/src/sandboxes/provider.ts';

/** What the suite must know of a provider. */
export interface SandboxExpectations {
  isolation: 'none' | 'process' | 'container' | 'vm';
  /**
   * A command for a process of its own that makes the sandbox of `key`, starts `argv` in it as "agent", writes
   * "started" and waits: a relay to be killed.
   */
  otherRelay(storage: string, key: string, argv: readonly string[]): { file: string; args: string[] };
  /** Whether programs in the sandbox are processes of this machine, so that the test can count them. */
  localProcesses: boolean;
  /** Every call starts a program: cases that make tens of thousands make fewer. */
  costlyCalls?: boolean;
  /** Default true. */
  hostMounts?: boolean;
  /** A machine of somebody else's: what it hides and forbids is theirs to say. */
  vendor?: boolean;
}

/** What each case gets. */
export interface SandboxFixture {
  readonly expectations: SandboxExpectations;
  readonly provider: SandboxProvider;
  /** The provider's own folder, and one for what the test itself needs on the host. */
  readonly storage: string;
  readonly host: string;
  /** As another relay on the same storage would have it. */
  reopen(): SandboxProvider;
  spec(changes?: Partial<CreateSpec>): CreateSpec;
  create(changes?: Partial<CreateSpec>): Promise<Sandbox>;
}
