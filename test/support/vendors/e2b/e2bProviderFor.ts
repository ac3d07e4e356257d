import { createHash } from 'node:crypto';
import { silentLogger } from '../../../../server/src/core/log.ts';
import { SOLE_OWNER } from '../../../../server/src/core/ownership.ts';
import { createE2bProvider } from '../../../../server/src/sandboxes/e2b/e2bProvider.ts';
import type { SandboxProvider } from '../../../../server/src/sandboxes/provider.ts';

/** Where E2B is. */
export interface E2bPlace {
  apiKey: string;
  /** Without it: the service itself. */
  apiUrl?: string;
  template: string;
}

/** A provider whose sandboxes belong to the relay of a folder. */
export function e2bProviderFor({ apiKey, apiUrl, template }: E2bPlace, storage: string): SandboxProvider {
  return createE2bProvider({
    settings: { apiKey, apiUrl, sandboxUrl: apiUrl, template, reach: [] },
    relayId: createHash('sha256').update(storage).digest('hex').slice(0, 20),
    ownership: SOLE_OWNER,
    log: silentLogger,
  });
}
