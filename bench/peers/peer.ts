import type { Marks } from '../support/marks.ts';

/** Where a peer is started. */
export interface Stage {
  /** An empty folder of its own. */
  folder: string;
  /** A clone of the sample repository that the agent may change. */
  workspace: string;
  /** A repository for those that clone by themselves. */
  repository: string;
  modelUrl: string;
  /** Installs these packages from npm, each with its exact version, and says in which folder their node_modules is. */
  install(packages: readonly string[], overrides?: Readonly<Record<string, string>>): Promise<string>;
  /** Runs when the measurement is over; the last one first. */
  defer(cleanup: () => Promise<unknown> | void): void;
}

/** A way to drive Claude Code (or, for one of them, its own agent), with one session that has done a first small turn. */
export interface RunningPeer {
  readonly marks: Marks;
  /** Processes besides the agent's own. They and what they started count as memory, without the agents. */
  readonly pids: readonly number[];
  /** Sends a prompt, and waits until its turn is shown to be over. */
  turn(text: string): Promise<{ startedAt: number; ms: number }>;
  /** Sends a prompt. */
  begin(text: string): Promise<void>;
  /** Cuts the connection of the client for so long, then connects again and asks for what was missed. */
  drop?(ms: number): Promise<void>;
  /** Kills (-9) the process that owns the turn, and comes back as soon as its user can go on in the same session. */
  kill?(): Promise<void>;
  /** Shows the session anew, as when its page is loaded again: what only then comes is not lost. */
  reload?(): Promise<unknown>;
  /** Resolves when a person is asked for a permission. */
  asked?(): Promise<void>;
  /** Grants what was asked for. */
  approve?(): Promise<void>;
  /** The folder that the agent works in, where it is not that of the stage. */
  workspace?(): Promise<string>;
}

export interface Peer {
  name: string;
  /** As in the table; `bundled` where it comes with what the tests use. */
  version: string;
  /** @param ask every tool needs a permission */
  start(stage: Stage, options: { ask: boolean }): Promise<RunningPeer>;
}

/** What cannot be done with a peer, and why; it is named in the table. */
export class NotPossible extends Error {}
