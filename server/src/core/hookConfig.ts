import { SandpiperError } from '../../../protocol/errors.ts';

/** How forges may tell this relay what happened there. */
export interface HookConfig {
  /** By which webhooks are signed; undefined: what `sandpiper hooks secret` made, or none are taken. */
  secret: string | undefined;
  /** How long after its first failure a delivery is tried again; every further time it is twice as long. */
  retryMs: number;
}

/** Where forges send to, on the address of this relay. */
export const WEBHOOK_ADDRESS = '/webhooks/github';

const MIN_SECRET_CHARS = 16;

/** @param problems gets a sentence for everything that is wrong */
export function readHookConfig(env: Readonly<Record<string, string | undefined>>, problems: string[]): HookConfig {
  const secret = env['SANDPIPER_WEBHOOK_SECRET'];
  if (secret !== undefined && secret.length < MIN_SECRET_CHARS) {
    problems.push(`SANDPIPER_WEBHOOK_SECRET must have at least ${MIN_SECRET_CHARS} characters`);
  }
  const retryMs = Number(env['SANDPIPER_WEBHOOK_RETRY_MS'] ?? '5000');
  if (!Number.isInteger(retryMs) || retryMs < 1 || retryMs > 600_000) {
    problems.push('SANDPIPER_WEBHOOK_RETRY_MS must be a whole number from 1 to 600000');
  }
  return { secret, retryMs };
}

/** There is no such door: as any path that nothing is served at. */
export function noWebhooks(): SandpiperError {
  return new SandpiperError('unknown_call', 'There is no POST /webhooks/github.', {
    hint: 'Run `sandpiper hooks secret` to take webhooks.',
  });
}
