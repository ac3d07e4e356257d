import { existsSync } from 'node:fs';
import { installWithApt } from './apt.ts';
import { run } from './command.ts';
import type { Missing, Report } from './need.ts';

const INSTALL = 'sudo apt-get install -y bubblewrap';

/** Finds bubblewrap, or installs it where apt-get may (root on Debian and its kin). Proves that it can make a sandbox. */
export async function setUpBubblewrap(report: Report): Promise<Missing | undefined> {
  if (process.platform !== 'linux') {
    return missing('bubblewrap exists on Linux only', 'run this on Linux or in WSL2');
  }
  if ((await run('bwrap', ['--version'])).code !== 0) {
    if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
      return missing('bubblewrap is not installed', INSTALL);
    }
    report('installing bubblewrap with apt-get');
    const problem = await installWithApt('bubblewrap');
    if (problem) {
      return missing(`apt-get could not install bubblewrap: ${problem}`, INSTALL);
    }
  }
  const probe = await run('bwrap', ['--ro-bind', '/', '/', '--unshare-all', '--', 'true']);
  return probe.code === 0
    ? undefined
    : missing(
        `bubblewrap is installed but may not make a sandbox here: ${probe.output.trim() || `exit code ${probe.code}`}`,
        'sudo sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0',
      );
}

function missing(reason: string, command: string): Missing {
  return { need: 'bubblewrap', reason, command };
}
