import { existsSync } from 'node:fs';
import { installWithApt } from './apt.ts';
import { run } from './command.ts';
import type { Missing, Report } from './need.ts';

const INSTALL = 'sudo apt-get install -y docker.io';

/**
 * Finds Docker's engine for tests that start one of their own, or installs it where apt-get may (root on Debian and its
 * kin). Nothing is started: an engine that runs already is enough for whoever may use it.
 */
export async function setUpDocker(report: Report): Promise<Missing | undefined> {
  if (process.platform !== 'linux') {
    return missing('dockerd runs on Linux only', 'run this on Linux');
  }
  if (['/usr/sbin/dockerd', '/usr/bin/dockerd'].some(path => existsSync(path)) || existsSync('/var/run/docker.sock')) {
    return undefined;
  }
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    return missing('no Docker engine is installed', INSTALL);
  }
  report('installing docker.io with apt-get');
  const problem = await installWithApt('docker.io');
  if (problem) {
    return missing(`apt-get could not install docker.io: ${problem}`, INSTALL);
  }
  const probe = await run('/usr/sbin/dockerd', ['--version']);
  return probe.code === 0 ? undefined : missing('dockerd does not run', INSTALL);
}

function missing(reason: string, command: string): Missing {
  return { need: 'docker', reason, command };
}
