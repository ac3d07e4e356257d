import { SandpiperError } from '../../../../protocol/errors.ts';
import type { Vitals } from '../provider.ts';
import { hasErrorCode } from './safeFolder.ts';

/** A process for certain: numbers are used again, a number with the time of its start is not. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in a form of the platform's; includes the boot. */
  born: string;
}

export interface ProcessEntry extends ProcessIdentity {
  parent: number;
  /** Ended, only not yet collected by its parent. */
  ended: boolean;
  /** What the variable MARKER said when it was started; '' when it has none. */
  mark: string;
}

/** The processes of this machine. */
export interface ProcessTable {
  /** Undefined when it does not run (any more). */
  identify(pid: number): Promise<ProcessIdentity | undefined>;
  list(): Promise<ProcessEntry[]>;
  /** Kills it, unless its number belongs to another by now: that is looked at directly before. */
  kill(identity: ProcessIdentity): Promise<void>;
  /** Awaited directly before anything is killed; throws when this relay may not any more. */
  beforeKill?(): Promise<void>;
  /** A process with all its descendants; undefined when it does not run. Absent where that would cost much. */
  vitals?(identity: ProcessIdentity): Promise<Vitals | undefined>;
  /** Environment and command line of a process, as far as this relay may read them. */
  text?(pid: number): Promise<Buffer>;
}

/**
 * Environment variable that every process carries which the relay starts for a sandbox. It is inherited by descendants,
 * also by those in sessions and groups of their own, and so finds them after the relay was killed at any instant.
 */
export const MARKER = 'SANDPIPER_SANDBOX';

export async function isRunning(table: ProcessTable, identity: ProcessIdentity): Promise<boolean> {
  return (await table.identify(identity.pid))?.born === identity.born;
}

/** The processes that are marked, that are known, and all that descend from them. Pure. */
export function selectProcesses(
  entries: readonly ProcessEntry[],
  matches: (mark: string) => boolean,
  known: ReadonlySet<string>,
): ProcessEntry[] {
  const selected = new Map<number, ProcessEntry>();
  const children = new Map<number, ProcessEntry[]>();
  for (const entry of entries) {
    const siblings = children.get(entry.parent);
    if (siblings) {
      siblings.push(entry);
    } else {
      children.set(entry.parent, [entry]);
    }
  }
  const add = (entry: ProcessEntry): void => {
    if (!selected.has(entry.pid)) {
      selected.set(entry.pid, entry);
      children.get(entry.pid)?.forEach(add);
    }
  };
  entries.filter(entry => (entry.mark !== '' && matches(entry.mark)) || known.has(keyOf(entry))).forEach(add);
  return [...selected.values()].filter(entry => !entry.ended && entry.pid !== process.pid && entry.pid > 1);
}

const KILL_TIMEOUT_MS = 15_000;

/**
 * Kills what `selectProcesses` finds until it finds nothing.
 * @param recorded processes to kill though they carry no mark
 * @throws `sandbox_unavailable` when some do not die (uninterruptible in the kernel)
 */
export async function killProcesses(
  table: ProcessTable,
  matches: (mark: string) => boolean,
  recorded: readonly ProcessIdentity[] = [],
): Promise<void> {
  // What was found once stays wanted: when its parent dies it hangs below init, where no descent finds it.
  const known = new Set(recorded.map(keyOf));
  const deadline = Date.now() + KILL_TIMEOUT_MS;
  for (let pauseMs = 2; ; pauseMs = Math.min(pauseMs * 2, 50)) {
    const targets = selectProcesses(await table.list(), matches, known);
    if (targets.length === 0) {
      return;
    }
    if (Date.now() > deadline) {
      throw new SandpiperError(
        'sandbox_unavailable',
        `${targets.length} processes of the sandbox do not die: ${targets.map(target => target.pid).join(', ')}.`,
        {
          hint: 'They hang in the operating system, mostly on a file system that does not answer. Restart the machine.',
        },
      );
    }
    await table.beforeKill?.();
    for (const target of targets) {
      known.add(keyOf(target));
      await table.kill(target);
    }
    await new Promise(resolve => setTimeout(resolve, pauseMs));
  }
}

/** For a process that is known to be the right one in this moment. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrorCode(error, 'ESRCH', 'EPERM')) {
      throw error;
    }
  }
}

function keyOf(identity: ProcessIdentity): string {
  return `${identity.pid} ${identity.born}`;
}
