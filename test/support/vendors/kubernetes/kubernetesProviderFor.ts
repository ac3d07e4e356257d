import { createHash } from 'node:crypto';
import { silentLogger } from '../../../../server/src/core/log.ts';
import { SOLE_OWNER } from '../../../../server/src/core/ownership.ts';
import {
  createKubernetesProvider,
  type KubernetesSettings,
} from '../../../../server/src/sandboxes/kubernetes/kubernetesProvider.ts';
import type { SandboxProvider } from '../../../../server/src/sandboxes/provider.ts';

/** Where a cluster is. */
export interface KubernetesPlace {
  kubeconfig: string;
  image: string;
  context?: string;
  namespace?: string;
}

/** A provider whose sandboxes belong to the relay of a folder. */
export function kubernetesProviderFor(
  { kubeconfig, image, context, namespace }: KubernetesPlace,
  storage: string,
  changes: Partial<KubernetesSettings> = {},
): SandboxProvider {
  return createKubernetesProvider({
    settings: {
      kubeconfig,
      context,
      namespace,
      image,
      limits: { cpus: 1, memoryMb: 512, diskMb: 1024 },
      maxSeconds: 3600,
      startTimeoutMs: 60_000,
      runtimeClass: undefined,
      pullSecret: undefined,
      network: 'off',
      policy: 'make',
      gatewayUrl: undefined,
      gatewayPods: undefined,
      ...changes,
    },
    relayId: createHash('sha256').update(storage).digest('hex').slice(0, 20),
    ownership: SOLE_OWNER,
    log: silentLogger,
    onToken: () => {},
  });
}
