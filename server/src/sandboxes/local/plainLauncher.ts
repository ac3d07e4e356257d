import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { SandpiperError, toError } from '../../../../protocol/errors.ts';
import type { Ownership } from '../../core/ownership.ts';
import type { ExecResult } from '../provider.ts';
import type { ExecLaunch, Launch, Launcher } from './launcher.ts';
import { MARKER, killProcesses } from './processTable.ts';
import type { ProcessIdentity, ProcessTable } from './processTable.ts';
import { runContained } from './runContained.ts';
import { hasErrorCode } from './safeFolder.ts';

interface PlainLauncherOptions {
  home: string;
  path: string;
  table: ProcessTable;
  ownership: Ownership;
}

/** Isolation `none`: programs run as the relay's user, apart only in HOME, environment and process group. */
export class PlainLauncher implements Launcher {
  readonly #options: PlainLauncherOptions;

  constructor(options: PlainLauncherOptions) {
    this.#options = options;
  }

  async exec(launch: ExecLaunch): Promise<ExecResult> {
    await requireFolder(launch.cwd);
    await this.#options.ownership.confirm();
    const [file, ...args] = launch.argv;
    const { code, stdout, stderr } = await runContained({
      file,
      args,
      cwd: launch.cwd,
      env: this.#environment(launch),
      stdin: launch.stdin,
      timeoutMs: launch.timeoutMs,
      maxOutputBytes: launch.maxOutputBytes,
      kill: async child => {
        killGroup(child);
        await killProcesses(this.#options.table, mark => mark === launch.mark);
      },
    });
    return { code, stdout, stderr };
  }

  async start(launch: Launch): Promise<{ main: ProcessIdentity; others: ProcessIdentity[] }> {
    await requireFolder(launch.cwd);
    await this.#options.ownership.confirm();
    const [file, ...args] = launch.argv;
    const child = spawn(file, args, {
      cwd: launch.cwd,
      env: this.#environment(launch),
      detached: true,
      stdio: 'ignore',
    });
    try {
      await once(child, 'spawn');
    } catch (error) {
      throw new SandpiperError('invalid_params', `${file} could not be started: ${toError(error).message}.`, {
        hint: 'Check that the program is installed on the machine of the relay.',
        cause: error,
      });
    }
    child.unref();
    const pid = child.pid ?? 0;
    return { main: (await this.#options.table.identify(pid)) ?? { pid, born: 'ended' }, others: [] };
  }

  #environment(launch: Launch): Record<string, string> {
    return { HOME: this.#options.home, PATH: this.#options.path, ...launch.env, [MARKER]: launch.mark };
  }
}

/** Without this a missing folder would look like a missing program. */
async function requireFolder(cwd: string): Promise<void> {
  const found = await stat(cwd).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new SandpiperError('invalid_params', `The folder ${cwd} to run in does not exist.`);
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrorCode(error, 'ESRCH', 'EPERM')) {
      throw error;
    }
  }
}
