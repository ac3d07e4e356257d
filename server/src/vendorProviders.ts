import { createHmac } from 'node:crypto';
import type { Config } from './core/config.ts';
import type { Logger } from './core/log.ts';
import type { Ownership } from './core/ownership.ts';
import { parseEgress } from './egress/rules.ts';
import { createDaytonaProvider } from './sandboxes/daytona/daytonaProvider.ts';
import { createE2bProvider } from './sandboxes/e2b/e2bProvider.ts';
import { createKubernetesProvider } from './sandboxes/kubernetes/kubernetesProvider.ts';
import type { SandboxProvider } from './sandboxes/provider.ts';

/** Providers for the vendors that this relay has a key for. Their SDKs are loaded when they are first asked something. */
export function vendorProviders(
  { vendors, gateway, network }: Config,
  {
    token,
    ownership,
    log,
    onToken,
  }: { token: string; ownership: Ownership; log: Logger; onToken: (kubernetesToken: string) => void },
  onClose: (cleanup: () => Promise<void>) => void,
): SandboxProvider[] {
  // Known to this data folder only, and nothing that opens anything.
  const relayId = createHmac('sha256', token).update('sandboxes').digest('hex').slice(0, 20);
  // The vendors know hosts only, no ports.
  const allowed = network.allow.flatMap(parseEgress).map(({ host }) => host);
  const hosts = [...(gateway ? [new URL(gateway.publicUrl).hostname] : []), ...allowed];
  const reach = vendors.network === 'open' ? 'all' : [...new Set(hosts)];
  const shared = { relayId, ownership, log };
  const providers: SandboxProvider[] = [];
  if (vendors.e2b) {
    providers.push(createE2bProvider({ ...shared, settings: { ...vendors.e2b, reach } }));
  }
  if (vendors.daytona) {
    const daytona = createDaytonaProvider({ ...shared, settings: { ...vendors.daytona, reach } });
    onClose(async () => daytona.close());
    providers.push(daytona);
  }
  if (vendors.kubernetes) {
    const { relayPods, ...kubernetes } = vendors.kubernetes;
    const settings = {
      ...kubernetes,
      network: vendors.network,
      gatewayUrl: gateway?.publicUrl,
      gatewayPods: relayPods && gateway ? { labels: relayPods, port: gateway.port } : undefined,
    };
    providers.push(createKubernetesProvider({ ...shared, settings, onToken }));
  }
  return providers;
}
