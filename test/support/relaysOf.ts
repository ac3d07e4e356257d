import { readdir, readFile } from 'node:fs/promises';
import { readRelayAddress } from '../../client/relayAddress.ts';
import { eventually } from './eventually.ts';

/**
 * Ends every relay process of a data folder, also one that is starting and in no address file yet: a start that lost the
 * race against another may take the lock that this gives up. Whoever could start one more must have ended before.
 */
export async function endRelaysOf(dataFolder: string, timeoutMs = 15_000): Promise<void> {
  for (let pids = await relaysOf(dataFolder); pids.length > 0; pids = await relaysOf(dataFolder)) {
    pids.forEach(pid => signal(pid, 'SIGTERM'));
    await eventually(() => {
      const alive = pids.filter(isAlive);
      if (alive.length > 0) {
        throw new Error(`Relays of ${dataFolder} do not end: ${alive.join(', ')}.`);
      }
    }, timeoutMs);
  }
}

export function isAlive(pid: number): boolean {
  return signal(pid, 0);
}

/** On Linux every process that serves the folder; elsewhere the one that its address file names. */
async function relaysOf(dataFolder: string): Promise<number[]> {
  if (process.platform !== 'linux') {
    const address = await readRelayAddress(dataFolder);
    return address && isAlive(address.pid) ? [address.pid] : [];
  }
  const found = (await readdir('/proc')).map(async name => {
    const read = (file: string) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '');
    const [environment, command] = /^\d+$/.test(name)
      ? await Promise.all([read('environ'), read('cmdline')])
      : ['', ''];
    const serves = command.split('\0').includes('serve');
    return serves && environment.split('\0').includes(`SANDPIPER_DATA=${dataFolder}`) ? [Number(name)] : [];
  });
  return (await Promise.all(found)).flat();
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
