import type { Logger } from '../../core/log.ts';
import type { Ownership } from '../../core/ownership.ts';
import type { SandboxProvider } from '../provider.ts';
import { VendorLine } from '../vendors/vendorLine.ts';
import { VendorProvider, type VendorLabels } from '../vendors/vendorProvider.ts';
import { DaytonaClient, type DaytonaSettings } from './daytonaClient.ts';

export interface DaytonaProviderOptions {
  settings: DaytonaSettings;
  relayId: string;
  ownership: Ownership;
  log: Logger;
}

/**
 * Sandboxes that are containers of Daytona. One that somebody stopped is started by the next call; its files are there,
 * what ran in it is not.
 */
export function createDaytonaProvider({
  settings,
  relayId,
  ownership,
  log,
}: DaytonaProviderOptions): SandboxProvider & { close(): Promise<void> } {
  const line = new VendorLine({ vendor: 'Daytona', keySetting: 'SANDPIPER_DAYTONA_API_KEY' });
  const client = new DaytonaClient(settings);
  const provider = new VendorProvider({
    id: 'daytona',
    isolation: 'container',
    root: '/home/daytona/sandpiper',
    path: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin:/home/daytona/.local/bin',
    relayId,
    isId: text => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text),
    line,
    ownership,
    log,
    calls: {
      create: async labels => client.create(nameOf(labels), { ...labels }),
      list: async labels => client.list({ ...labels }),
      labelsOf: async id => client.labelsOf(id),
      destroy: async id => client.destroy(id),
      download: async (id, path, first, bytes) => client.download(id, path, first, bytes),
      shellOf: id => ({
        shell: async command => client.shell(id, command),
        upload: async (path, data, signal) => client.upload(id, path, data, signal),
        wake: async () => client.wake(id),
      }),
    },
  });
  return Object.assign(provider, { close: async () => client.close() });
}

/** Names at Daytona are unique in an account. */
function nameOf({ sandpiperRelay, sandpiperKey }: VendorLabels): string {
  return `sandpiper-${sandpiperRelay}-${sandpiperKey}`.replaceAll(/[^a-zA-Z0-9-]/g, '-');
}
