import { run } from './command.ts';

/** Two at once refuse each other. */
let busy: Promise<unknown> = Promise.resolve();

/**
 * Installs a package of Debian and its kin, one at a time; as root.
 * @returns the last line of what went wrong
 */
export function installWithApt(packageName: string): Promise<string | undefined> {
  const installing = busy.then(async () => install(packageName));
  busy = installing.catch(() => {});
  return installing;
}

async function install(packageName: string): Promise<string | undefined> {
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 300_000 };
  // A failed update is no reason to stop: the lists on the machine may still do.
  await run('apt-get', ['update', '-qq'], options);
  const { code, output } = await run(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', packageName],
    options,
  );
  return code === 0 ? undefined : (output.trim().split('\n').at(-1) ?? 'no reason given');
}
