import { run } from './command.ts';
import type { Missing } from './need.ts';

/** The quarantine and the mirrors need what git has had since this version (`merge-tree --write-tree`). */
const OLDEST = { major: 2, minor: 38 };

/** Git is needed by everything and comes with the developer's machine. */
export async function checkGit(): Promise<Missing | undefined> {
  const command =
    process.platform === 'linux' ? 'sudo apt-get install -y git' : 'install git from its site, git-scm.com';
  const { code, output } = await run('git', ['--version']);
  const [, major, minor] = /(\d+)\.(\d+)/.exec(output) ?? [];
  if (code !== 0 || !major || !minor) {
    return { need: 'git', reason: 'git is not installed or not on PATH', command };
  }
  const old = Number(major) < OLDEST.major || (Number(major) === OLDEST.major && Number(minor) < OLDEST.minor);
  const wanted = `${OLDEST.major}.${OLDEST.minor}`;
  return old ? { need: 'git', reason: `git ${major}.${minor} is older than ${wanted}`, command } : undefined;
}
