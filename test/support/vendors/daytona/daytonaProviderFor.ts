import { createHash } from 'node:crypto';
import { silentLogger } from '../../../../server/src/core/log.ts';
import { SOLE_OWNER } from '../../../../server/src/core/ownership.ts';
import { createDaytonaProvider } from '../../../../server/src/sandboxes/daytona/daytonaProvider.ts';
import type { SandboxProvider } from '../../../../server/src/sandboxes/provider.ts';

/** Where Daytona is. */
export interface DaytonaPlace {
  apiKey: string;
  apiUrl: string;
  snapshot?: string;
}

/** A provider whose sandboxes belong to the relay of a folder. */
export function daytonaProviderFor({ apiKey, apiUrl, snapshot }: DaytonaPlace, storage: string): SandboxProvider {
  return createDaytonaProvider({
    settings: { apiKey, apiUrl, target: process.env['SANDPIPER_DAYTONA_TARGET'] ?? 'us', snapshot, reach: [] },
    relayId: createHash('sha256').update(storage).digest('hex').slice(0, 20),
    ownership: SOLE_OWNER,
    log: silentLogger,
  });
}
