import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readlink, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { removeTree } from '../../../server/src/sandboxes/local/removeTree.ts';
import { CLAUDE } from '../relayProcess.ts';

/*
 * What a vendor's machine is played by: real processes in namespaces of their own, with the vendor's daemon among them as
 * pid 2. So paths, links, users, signals and what outlives a call are as in a real sandbox; only the network is this
 * machine's. Everything in it dies with the process that made it.
 */

export interface BoxPlan {
  /** Empty; this box's own. */
  folder: string;
  home: string;
  user: string;
  /** The vendor's daemon, a module in `inside/`: listens on the socket that its argument names, then writes `ready`. */
  daemon: string;
  env: Readonly<Record<string, string>>;
  /** Nothing but the home and /tmp can be written to. */
  readOnlyRoot?: boolean;
}

const SOCKET = '/run/vendor/daemon.sock';
const MODULES = '/opt/vendor';
const NODE = '/opt/node';

export class Box {
  readonly #plan: BoxPlan;
  #process: ChildProcess | undefined;
  /** The init of the box's pid namespace, as this machine numbers it. */
  #init = 0;
  #starting: Promise<void> = Promise.resolve();

  constructor(plan: BoxPlan) {
    this.#plan = plan;
  }

  /** Where the daemon listens. */
  get socket(): string {
    return join(this.#plan.folder, 'run', 'daemon.sock');
  }

  /** Also after `stop`: files are kept, /tmp and processes are not. */
  async start(): Promise<void> {
    this.#starting = this.#start();
    await this.#starting;
  }

  async #start(): Promise<void> {
    const { folder } = this.#plan;
    for (const name of ['home', 'run']) {
      await mkdir(join(folder, name), { recursive: true });
    }
    await writeFile(join(folder, 'passwd'), `${this.#plan.user}:x:1000:1000::${this.#plan.home}:/bin/bash\n`);
    await removeTree(this.socket);
    const child = spawn('bwrap', await this.#arguments(), {
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    });
    this.#process = child;
    // In several pieces.
    this.#init = Number(/"child-pid": (\d+)/.exec(await textUntil(child, child.stdio[3], '}'))?.[1]);
    await textUntil(child, child.stdout, 'ready');
  }

  /** Kills every process at once. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const gone = once(child, 'exit');
    // The kernel ends the whole namespace with its init.
    process.kill(this.#init, 'SIGKILL');
    await gone;
  }

  async destroy(): Promise<void> {
    await this.#starting.catch(() => {});
    await this.stop();
    await removeTree(this.#plan.folder);
  }

  async freeze(): Promise<void> {
    await this.#signalAll('SIGSTOP');
  }

  async thaw(): Promise<void> {
    await this.#signalAll('SIGCONT');
  }

  async #signalAll(signal: NodeJS.Signals): Promise<void> {
    const own = await readlink(`/proc/${this.#init}/ns/pid`);
    for (const pid of await readdir('/proc')) {
      const inside = /^\d+$/.test(pid) && (await readlink(`/proc/${pid}/ns/pid`).catch(() => '')) === own;
      if (inside && Number(pid) !== this.#init) {
        process.kill(Number(pid), signal);
      }
    }
  }

  async #arguments(): Promise<string[]> {
    const { folder, home, daemon, env, user, readOnlyRoot } = this.#plan;
    const variables = {
      HOME: home,
      USER: user,
      LOGNAME: user,
      PATH: '/opt/bin:/usr/local/bin:/usr/bin:/bin',
      ...env,
    };
    const etc = ['alternatives', 'ssl/certs', 'ld.so.cache', 'resolv.conf', 'hosts', 'nsswitch.conf'];
    return [
      ['--unshare-user', '--uid', '1000', '--gid', '1000', '--unshare-pid', '--unshare-ipc', '--unshare-uts'],
      ['--hostname', 'vendor', '--new-session', '--die-with-parent', '--cap-drop', 'ALL', '--info-fd', '3'],
      ['--ro-bind', '/usr', '/usr', '--symlink', 'usr/bin', '/bin', '--symlink', 'usr/sbin', '/sbin'],
      ['--symlink', 'usr/lib', '/lib', ...(await hasLib64()), '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
      ...etc.map(name => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
      ['--ro-bind', join(folder, 'passwd'), '/etc/passwd', '--bind', join(folder, 'home'), home],
      ['--bind', join(folder, 'run'), '/run/vendor', '--ro-bind', process.execPath, NODE],
      ['--ro-bind', join(import.meta.dirname, 'inside'), MODULES],
      ['--ro-bind', await realpath(CLAUDE), '/opt/bin/claude', '--clearenv'],
      ...Object.entries(variables).map(([name, value]) => ['--setenv', name, value]),
      ...(readOnlyRoot === true ? [['--remount-ro', '/']] : []),
      ['--chdir', home, '--', NODE, `${MODULES}/${daemon}`, SOCKET],
    ].flat();
  }
}

async function hasLib64(): Promise<string[]> {
  const link = await readlink('/lib64').catch(() => undefined);
  return link === undefined ? [] : ['--symlink', link, '/lib64'];
}

/** @throws when the box ends before it has said so much */
async function textUntil(child: ChildProcess, stream: unknown, end: string): Promise<string> {
  if (!isReadable(stream)) {
    throw new Error('A box has no pipes.');
  }
  let said = '';
  while (!said.includes(end)) {
    const more = await Promise.race([once(stream, 'data').then(([data]) => String(data)), once(child, 'exit')]);
    if (typeof more !== 'string') {
      throw new Error(`A box ended before it began: ${JSON.stringify(more)}`);
    }
    said += more;
  }
  stream.resume();
  return said;
}

function isReadable(value: unknown): value is Readable {
  return typeof value === 'object' && value !== null && 'resume' in value;
}

/** Why boxes cannot be made here; undefined when they can. */
export async function whyNoBoxes(): Promise<string | undefined> {
  if (process.platform !== 'linux') {
    return 'the vendors are played with Linux namespaces';
  }
  const child = spawn('bwrap', ['--unshare-user', '--unshare-pid', '--ro-bind', '/', '/', 'true'], { stdio: 'ignore' });
  const code = await new Promise(resolve => {
    child.once('error', () => resolve('missing'));
    child.once('exit', resolve);
  });
  return code === 0 ? undefined : `bubblewrap does not work here (${String(code)})`;
}
