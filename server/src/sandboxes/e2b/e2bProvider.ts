import type { Logger } from '../../core/log.ts';
import type { Ownership } from '../../core/ownership.ts';
import type { SandboxProvider } from '../provider.ts';
import { VendorLine } from '../vendors/vendorLine.ts';
import { VendorProvider } from '../vendors/vendorProvider.ts';
import { E2bClient, type E2bSettings } from './e2bClient.ts';

export interface E2bProviderOptions {
  settings: E2bSettings;
  relayId: string;
  ownership: Ownership;
  log: Logger;
}

/** A folder that nobody can write to: whoever starts a shell there reads nothing of the agent's. */
const OUTER_HOME = '/';

/**
 * Sandboxes that are virtual machines of E2B. A machine that the relay does not use for a while is paused with all that
 * runs in it, and goes on where it was with the next call.
 */
export function createE2bProvider({ settings, relayId, ownership, log }: E2bProviderOptions): SandboxProvider {
  const line = new VendorLine({ vendor: 'E2B', keySetting: 'SANDPIPER_E2B_API_KEY' });
  const client = new E2bClient(settings);
  return new VendorProvider({
    id: 'e2b',
    isolation: 'vm',
    root: '/home/user/sandpiper',
    path: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin:/home/user/.local/bin',
    relayId,
    isId: text => /^[a-z0-9]{5,40}$/.test(text),
    line,
    ownership,
    log,
    calls: {
      create: async labels => client.create({ ...labels }),
      list: async labels => client.list({ ...labels }),
      labelsOf: async id => client.labelsOf(id),
      destroy: async id => client.kill(id),
      download: async (id, path, first, bytes) => client.download(id, path, first, bytes),
      shellOf: id => ({
        shell: async (command, signal) => client.shell(id, command, OUTER_HOME, signal),
        upload: async (path, data, signal) => client.upload(id, path, data, signal),
        wake: async () => client.wake(id),
      }),
    },
  });
}
