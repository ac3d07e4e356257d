import { spawn } from 'node:child_process';
import { Readable, Writable } from 'node:stream';
import type { ChildProcess } from 'node:child_process';
import { SandpiperError } from '../../../../protocol/errors.ts';
import { haltSignal } from '../../core/halting.ts';
import type { Ownership } from '../../core/ownership.ts';
import type { ExecResult, Mount } from '../provider.ts';
import { INSIDE, INSIDE_PATH, bubblewrapArguments, environmentArguments } from './bubblewrap.ts';
import type { BubblewrapHost } from './bubblewrap.ts';
import type { ExecLaunch, Launch, Launcher } from './launcher.ts';
import { MARKER, killProcesses } from './processTable.ts';
import type { ProcessIdentity, ProcessTable } from './processTable.ts';
import { runContained } from './runContained.ts';

interface BubblewrapLauncherOptions {
  /** Probed again when it is not known: a relay that came back never runs without what the sandbox was made with. */
  host(): Promise<BubblewrapHost>;
  writable: readonly Mount[];
  readOnly: readonly Mount[];
  devices(): Promise<readonly Mount[]>;
  table: ProcessTable;
  ownership: Ownership;
}

/** Ends up as the program itself; its own output went elsewhere or nowhere. `r` says that the sandbox stands. */
const EXEC = 'exec "$@"';
const START = 'printf r; exec "$@" >/dev/null 2>&1';
/**
 * Stays outside as bwrap's parent and outlives the relay: bwrap and all that is inside die with it (--die-with-parent), and
 * bwrap ends with the program, so what the program left running ends too, relay or no relay.
 */
const SUPERVISE = '"$@"; exit $?';
const START_TIMEOUT_MS = 20_000;
const EXIT_CODE = /"exit-code":\s*(\d+)/;
const CHILD_PID = /"child-pid":\s*(\d+)/;

export class BubblewrapLauncher implements Launcher {
  readonly #options: BubblewrapLauncherOptions;

  constructor(options: BubblewrapLauncherOptions) {
    this.#options = options;
  }

  async exec(launch: ExecLaunch): Promise<ExecResult> {
    const [program, ...isolation] = await this.#command(launch);
    const result = await runContained({
      file: program,
      args: [...isolation, '--json-status-fd', '3', '--', '/bin/sh', '-c', EXEC, 'sh', ...launch.argv],
      cwd: '/',
      env: outerEnvironment(launch),
      stdin: launch.stdin,
      control: innerEnvironment(launch),
      timeoutMs: launch.timeoutMs,
      maxOutputBytes: launch.maxOutputBytes,
      kill: async child => {
        child.kill('SIGKILL');
        // Everything inside dies with it, but what it had just begun to start does not know yet that it should.
        await killProcesses(this.#options.table, mark => mark === launch.mark);
      },
    });
    const code = EXIT_CODE.exec(result.status)?.[1];
    if (code === undefined) {
      throw cannotStart(result.stderr.toString());
    }
    return { code: Number(code), stdout: result.stdout, stderr: result.stderr };
  }

  async start(launch: Launch): Promise<{ main: ProcessIdentity; others: ProcessIdentity[] }> {
    const command = await this.#command(launch);
    const inner = ['--info-fd', '3', '--', '/bin/sh', '-c', START, 'sh', ...launch.argv];
    const child = spawn('/bin/sh', ['-c', SUPERVISE, 'sandpiper', ...command, ...inner], {
      cwd: '/',
      env: outerEnvironment(launch),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    try {
      const pid = await untilStarted(child, innerEnvironment(launch));
      const { table } = this.#options;
      const [main, supervisor] = await Promise.all([table.identify(pid), table.identify(child.pid ?? 0)]);
      return { main: main ?? { pid, born: 'ended' }, others: supervisor === undefined ? [] : [supervisor] };
    } catch (error) {
      await killProcesses(this.#options.table, mark => mark === launch.mark);
      throw error;
    } finally {
      child.stdio.forEach(stream => stream?.destroy());
      child.unref();
    }
  }

  async #command(launch: Launch): Promise<[string, ...string[]]> {
    const host = await this.#options.host();
    const { writable, readOnly } = this.#options;
    const devices = await this.#options.devices();
    await this.#options.ownership.confirm();
    return [
      host.program,
      '--die-with-parent',
      ...bubblewrapArguments({ host, writable, readOnly, devices, cwd: launch.cwd }),
      '--args',
      '4',
    ];
  }
}

/** From scratch: what bwrap itself was started with can be read inside, at /proc/1/environ. */
function outerEnvironment(launch: Launch): Record<string, string> {
  return { [MARKER]: launch.mark };
}

function innerEnvironment(launch: Launch): string {
  return environmentArguments({ HOME: INSIDE.home, PATH: INSIDE_PATH, ...launch.env });
}

/** Resolves with the process id of the sandbox's init when the program is about to run. */
async function untilStarted(child: ChildProcess, environment: string): Promise<number> {
  let stderr = '';
  let info = '';
  let ready = false;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(cannotStart('it did not start in time')), START_TIMEOUT_MS);
    haltSignal()?.addEventListener(
      'abort',
      () => reject(new SandpiperError('stopped', 'It was stopped while it started.')),
      {
        once: true,
      },
    );
    const check = (): void => {
      const pid = CHILD_PID.exec(info)?.[1];
      if (ready && pid !== undefined && info.includes('}')) {
        clearTimeout(timer);
        resolve(Number(pid));
      }
    };
    const listen = (stream: unknown, onText: (text: string) => void): void => {
      if (stream instanceof Readable) {
        stream.on('error', () => {});
        stream.on('data', (chunk: Buffer) => {
          onText(chunk.toString());
          check();
        });
      }
    };
    listen(child.stdio[1], () => (ready = true));
    listen(child.stdio[2], text => (stderr += text));
    listen(child.stdio[3], text => (info += text));
    const control: unknown = child.stdio[4];
    if (control instanceof Writable) {
      control.on('error', () => {});
      control.end(environment);
    }
    child.on('error', error => reject(cannotStart(error.message)));
    child.on('close', () => {
      clearTimeout(timer);
      reject(cannotStart(stderr));
    });
  });
}

function cannotStart(said: string): SandpiperError {
  const reason = said.trim().split('\n').at(-1) ?? '';
  return new SandpiperError(
    'sandbox_unavailable',
    `The sandbox could not be entered: ${reason === '' ? 'bubblewrap was killed' : reason}.`,
    { hint: 'Run "sandpiper doctor" to see whether bubblewrap still works on this machine.' },
  );
}
