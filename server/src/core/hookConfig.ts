import { SandpiperError } from '../../../protocol/errors.ts';
import type { HookForge } from '../../../protocol/hookCalls.ts';

/** How forges may tell this relay what happened there. */
export interface HookConfig {
  /** By which webhooks are signed; undefined: what `sandpiper hooks secret` made, or none are taken. */
  secrets: Readonly<Record<HookForge, string | undefined>>;
  /** How long after its first failure a delivery is tried again; every further time it is twice as long. */
  retryMs: number;
}

/** Where forges send to, on the address of this relay. */
export const WEBHOOK_ADDRESSES: Readonly<Record<HookForge, string>> = {
  github: '/webhooks/github',
  gitea: '/webhooks/gitea',
  gitlab: '/webhooks/gitlab',
};

/** A secret of its own for each: GitLab sends it along, and whoever runs one forge must not speak for another. */
export const WEBHOOK_SECRET_VARIABLES: Readonly<Record<HookForge, string>> = {
  github: 'SANDPIPER_WEBHOOK_SECRET',
  gitea: 'SANDPIPER_GITEA_WEBHOOK_SECRET',
  gitlab: 'SANDPIPER_GITLAB_WEBHOOK_SECRET',
};

const MIN_SECRET_CHARS = 16;

/** @param problems gets a sentence for everything that is wrong */
export function readHookConfig(env: Readonly<Record<string, string | undefined>>, problems: string[]): HookConfig {
  const secretOf = (forge: HookForge) => {
    const variable = WEBHOOK_SECRET_VARIABLES[forge];
    const secret = env[variable];
    if (secret !== undefined && secret.length < MIN_SECRET_CHARS) {
      problems.push(`${variable} must have at least ${MIN_SECRET_CHARS} characters`);
    }
    return secret;
  };
  const retryMs = Number(env['SANDPIPER_WEBHOOK_RETRY_MS'] ?? '5000');
  if (!Number.isInteger(retryMs) || retryMs < 1 || retryMs > 600_000) {
    problems.push('SANDPIPER_WEBHOOK_RETRY_MS must be a whole number from 1 to 600000');
  }
  return {
    secrets: { github: secretOf('github'), gitea: secretOf('gitea'), gitlab: secretOf('gitlab') },
    retryMs,
  };
}

/** The command that shows a secret. */
export function secretCommand(forge: HookForge): string {
  return forge === 'github' ? '`sandpiper hooks secret`' : `\`sandpiper hooks secret --forge ${forge}\``;
}

/** There is no such door: as any path that nothing is served at. */
export function noWebhooks(forge: HookForge): SandpiperError {
  return new SandpiperError('unknown_call', `There is no POST ${WEBHOOK_ADDRESSES[forge]}.`, {
    hint: `Run ${secretCommand(forge)} to take webhooks.`,
  });
}
