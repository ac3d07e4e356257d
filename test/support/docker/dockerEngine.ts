import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { accessSync, closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { importTestImage } from './testImage.ts';

const run = promisify(execFile);
const START_MS = 30_000;
const USUAL_SOCKET = '/var/run/docker.sock';

export interface TestEngine {
  socket: string;
  /** An image of this machine's own programs. */
  image: string;
  stop(): Promise<void>;
}

/** Why there can be no engine of the tests' own here, or undefined. */
export function whyNoEngine(): string | undefined {
  if (existing() !== undefined) {
    return undefined;
  }
  if (process.platform !== 'linux') {
    return 'dockerd runs on Linux only';
  }
  if (process.getuid?.() !== 0) {
    return 'only root may start an engine of its own, and none that runs may be used';
  }
  return existsSync('/usr/sbin/dockerd') || existsSync('/usr/bin/dockerd')
    ? undefined
    : 'dockerd is not installed (sudo apt-get install -y docker.io)';
}

/** An engine that runs and that this user may use; for machines where tests may not start one. */
function existing(): string | undefined {
  const named = process.env['SANDPIPER_TEST_DOCKER_SOCKET'];
  if (named !== undefined) {
    return named;
  }
  try {
    accessSync(USUAL_SOCKET, constants.R_OK | constants.W_OK);
    return process.getuid?.() === 0 ? undefined : USUAL_SOCKET;
  } catch {
    return undefined;
  }
}

/**
 * A Docker engine for one test file, apart from whatever else runs on this machine: no bridge, no firewall rules, its data in
 * a temporary folder. It brings the image that sandboxes are made of.
 */
export async function startTestEngine(): Promise<TestEngine> {
  const running = existing();
  if (running !== undefined) {
    return { socket: running, image: await importTestImage(running), stop: async () => {} };
  }
  // Sockets may have about 100 bytes of path.
  const folder = await mkdtemp(join(tmpdir(), 'sp-dk-'));
  const socket = join(folder, 'd.sock');
  const log = join(folder, 'log');
  const output = openSync(log, 'a');
  const daemon = spawn('dockerd', daemonArguments(folder, socket), {
    stdio: ['ignore', output, output],
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
  closeSync(output);
  const stop = async (): Promise<void> => {
    if (daemon.exitCode === null && daemon.signalCode === null) {
      const gone = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      await gone;
    }
    await unmountBelow(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  try {
    await untilAnswers(daemon, socket, log);
    return { socket, image: await importTestImage(socket), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function daemonArguments(folder: string, socket: string): string[] {
  const places = [
    '--data-root',
    join(folder, 'data'),
    '--exec-root',
    join(folder, 'x'),
    '--pidfile',
    join(folder, 'pid'),
  ];
  const network = ['--bridge=none', '--iptables=false', '--ip6tables=false'];
  // This machine may not raise limits.
  const limits = ['--default-ulimit', 'nofile=20000:20000', '--default-ulimit', 'nproc=20000:20000'];
  return [...places, '-H', `unix://${socket}`, ...network, ...limits];
}

async function untilAnswers(daemon: ReturnType<typeof spawn>, socket: string, log: string): Promise<void> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const answered = await fetchSocket(socket).catch(() => false);
    if (answered) {
      return;
    }
    if (daemon.exitCode !== null || Date.now() > deadline) {
      throw new Error(`dockerd did not start:\n${readFileSync(log, 'utf8').slice(-3000)}`);
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

async function fetchSocket(socket: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: socket, path: '/_ping' }, answer => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asking.on('error', reject);
    asking.end();
  });
}

/** What a killed daemon left mounted would keep its folder from being removed. */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const places = mounts.map(line => line.split(' ')[1] ?? '').filter(place => place.startsWith(`${folder}/`));
  for (const place of places.reverse()) {
    await run('umount', ['-l', place]).catch(() => {});
  }
}
