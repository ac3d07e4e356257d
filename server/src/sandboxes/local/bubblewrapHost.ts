import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { bubblewrapArguments, etcEntries, explainBubblewrapFailure } from './bubblewrap.ts';
import type { BubblewrapHost, NamespaceFacts } from './bubblewrap.ts';

export type BubblewrapProbe = { works: true; host: BubblewrapHost } | { works: false; reason: string; hint: string };

const TRIAL_TIMEOUT_MS = 10_000;
const TOP_FOLDERS = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];
const INSTALLERS = [
  ['apt-get', 'sudo apt-get install -y bubblewrap'],
  ['dnf', 'sudo dnf install -y bubblewrap'],
  ['pacman', 'sudo pacman -S --noconfirm bubblewrap'],
  ['zypper', 'sudo zypper install -y bubblewrap'],
  ['apk', 'sudo apk add bubblewrap'],
] as const;

/** Finds bwrap and runs a program in it with the very options that sandboxes get. Linux only. */
export async function probeBubblewrap(path: string): Promise<BubblewrapProbe> {
  const program = await findProgram('bwrap', path);
  if (program === undefined) {
    return { works: false, reason: 'bubblewrap is not installed.', hint: `Install it: ${await installCommand(path)}` };
  }
  const known = { program, top: await topFolders(), etc: etcEntries(await readdir('/etc').catch(() => [])) };
  let failure = '';
  for (const disableUserns of [true, false]) {
    const host = { ...known, disableUserns };
    const trial = await tryProgram(host);
    if (trial === undefined) {
      return { works: true, host };
    }
    failure = trial;
  }
  return { works: false, ...explainBubblewrapFailure(failure, await namespaceFacts()) };
}

/** The absolute path of a program, or undefined. Relative entries of the search path are not considered. */
export async function findProgram(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    const candidate = join(folder, name);
    if (isAbsolute(folder) && (await isExecutable(candidate))) {
      return candidate;
    }
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function installCommand(path: string): Promise<string> {
  for (const [tool, command] of INSTALLERS) {
    if ((await findProgram(tool, `${path}${delimiter}/usr/bin${delimiter}/sbin`)) !== undefined) {
      return command;
    }
  }
  return 'install the package "bubblewrap" of your distribution';
}

async function topFolders(): Promise<BubblewrapHost['top']> {
  const found = await Promise.all(
    TOP_FOLDERS.map(async name => {
      const stat = await lstat(`/${name}`).catch(() => undefined);
      if (stat?.isSymbolicLink()) {
        return [{ name, link: await readlink(`/${name}`) }];
      }
      return stat?.isDirectory() ? [{ name }] : [];
    }),
  );
  return found.flat();
}

/** What bwrap said when it failed, or undefined when it works. */
async function tryProgram(host: BubblewrapHost): Promise<string | undefined> {
  const options = bubblewrapArguments({ host, writable: [], readOnly: [], devices: [], cwd: '/' });
  return new Promise(resolve => {
    execFile(
      host.program,
      ['--die-with-parent', ...options, '--', '/usr/bin/env', 'true'],
      { env: {}, timeout: TRIAL_TIMEOUT_MS, killSignal: 'SIGKILL' },
      (error, _stdout, stderr) => resolve(error === null ? undefined : stderr || error.message),
    );
  });
}

async function namespaceFacts(): Promise<NamespaceFacts> {
  const read = async (name: string): Promise<string> => readFile(`/proc/sys/${name}`, 'utf8').catch(() => '');
  const [appArmor, maximum, clone] = await Promise.all([
    read('kernel/apparmor_restrict_unprivileged_userns'),
    read('user/max_user_namespaces'),
    read('kernel/unprivileged_userns_clone'),
  ]);
  return {
    restrictedByAppArmor: appArmor.trim() === '1',
    switchedOff: maximum.trim() === '0' || clone.trim() === '0',
  };
}
