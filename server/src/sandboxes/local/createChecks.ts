import { stat } from 'node:fs/promises';
import { SandpiperError } from '../../../../protocol/errors.ts';
import type { CreateSpec, Mount } from '../provider.ts';
import { mountProblem } from './bubblewrap.ts';

/**
 * Refuses mounts that cannot be or that would cover what the sandbox has of its own.
 * @throws `invalid_params`
 */
export async function checkMounts(spec: CreateSpec): Promise<void> {
  const problem = spec.mounts.map(mountProblem).find(text => text !== undefined);
  if (problem !== undefined) {
    throw new SandpiperError('invalid_params', `The sandbox cannot be made: ${problem}.`);
  }
  const hostPaths = [
    ...spec.mounts.map(mount => mount.hostPath),
    ...(spec.relayFolder === undefined ? [] : [spec.relayFolder]),
  ];
  for (const hostPath of hostPaths) {
    if ((await stat(hostPath).catch(() => undefined)) === undefined) {
      throw new SandpiperError(
        'invalid_params',
        `The sandbox cannot be made: ${hostPath}, to be mounted, does not exist.`,
      );
    }
  }
}

/**
 * Without isolation there are no mounts: what is at its own place is there anyway, what should be elsewhere cannot be.
 * @throws `invalid_params`
 */
export function checkPlainMounts(mounts: readonly Mount[]): void {
  const moved = mounts.find(mount => mount.path !== mount.hostPath);
  if (moved !== undefined) {
    throw new SandpiperError(
      'invalid_params',
      `Without isolation ${moved.hostPath} cannot appear at ${moved.path}: mount it at its own path.`,
    );
  }
}

/** @throws `isolation_consent_needed` */
export function requireConsent(spec: CreateSpec, reason: string, hint: string | undefined): void {
  if (!spec.acceptNoIsolation) {
    throw new SandpiperError(
      'isolation_consent_needed',
      `The agent would run without isolation and could read, change and send away everything that you can: ${reason}`,
      { hint: `${hint === undefined ? '' : `${hint} `}Or agree to run this session without isolation.` },
    );
  }
}

export function noIsolationOn(platform: NodeJS.Platform): { reason: string; hint: string } {
  return platform === 'win32'
    ? {
        reason: 'Sandboxes on this machine need Linux or macOS; Windows has no FIFOs for an agent to read from.',
        hint: 'Run the relay in WSL2, or use another sandbox provider.',
      }
    : {
        reason: `There is no isolation for ${platform} on the machine itself.`,
        hint: 'Run the relay on Linux, or use another sandbox provider.',
      };
}
