import { toSandpiperError } from '../../../../protocol/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Ownership } from '../../core/ownership.ts';
import type { SandboxProvider } from '../provider.ts';
import { VendorLine } from '../vendors/vendorLine.ts';
import { VendorProvider } from '../vendors/vendorProvider.ts';
import { EgressGuard, type EgressSettings } from './egressGuard.ts';
import type { AccessSettings } from './kubernetesAccess.ts';
import { isPodId, KubernetesClient, type PodSettings } from './kubernetesClient.ts';
import { ROOT } from './podManifest.ts';
import { podState } from './podState.ts';
import { requireRights } from './rights.ts';

export interface KubernetesSettings extends AccessSettings, PodSettings, EgressSettings {}

export interface KubernetesProviderOptions {
  settings: KubernetesSettings;
  relayId: string;
  ownership: Ownership;
  log: Logger;
  /** Told the token of the kubeconfig when it is read, so that it is redacted like every other key. */
  onToken: (token: string) => void;
}

/** A pod that ended may be one that another call is just about to replace. */
const GRACE_MS = 60_000;
const CLEAN_TIMEOUT_MS = 5_000;

/** Sandboxes that are pods of a cluster, one for each session, which reach the model gateway and nothing else. */
export function createKubernetesProvider({
  settings,
  relayId,
  ownership,
  log,
  onToken,
}: KubernetesProviderOptions): SandboxProvider {
  const line = new VendorLine({ vendor: 'Kubernetes', keySetting: 'SANDPIPER_KUBECONFIG' });
  const client = new KubernetesClient(settings, onToken);
  const guard = new EgressGuard(client, relayId, settings);
  const provider = new VendorProvider({
    id: 'kubernetes',
    isolation: 'container',
    root: ROOT,
    path: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin',
    relayId,
    isId: isPodId,
    line,
    ownership,
    log,
    calls: {
      create: async ({ sandpiperRelay, sandpiperKey }) =>
        client.create({ relay: sandpiperRelay, key: sandpiperKey }, await guard.apply()),
      list: async ({ sandpiperKey }) =>
        client.list({ relay: relayId, ...(sandpiperKey === undefined ? {} : { key: sandpiperKey }) }),
      labelsOf: async id => client.labelsOf(id),
      requireUsable: async id => client.requireUsable(id),
      probe: async () => requireRights(client, settings.policy),
      destroy: async id => client.destroy(id),
      download: async (id, path, first, bytes) => client.download(id, path, first, bytes),
      shellOf: id => ({
        shell: async (command, signal) => client.shell(id, command, signal),
        upload: async (path, data, signal) => client.upload(id, path, data, signal),
        wake: async () => client.requireReady(id),
      }),
    },
  });
  return Object.assign(provider, {
    endAbandoned: async () => removeEnded(client, relayId, { ownership, log }),
  });
}

/** Pods that ended while no relay looked: nothing is in them, and they count in lists and quotas of objects. */
async function removeEnded(
  client: KubernetesClient,
  relay: string,
  { ownership, log }: { ownership: Ownership; log: Logger },
): Promise<void> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('the cluster does not answer')), CLEAN_TIMEOUT_MS).unref();
  });
  const remove = async (): Promise<void> => {
    for (const pod of await client.pods({ relay })) {
      const { kind } = podState(pod);
      const madeAt = pod.metadata?.creationTimestamp?.getTime() ?? Date.now();
      if ((kind === 'ended' || kind === 'crowded') && Date.now() - madeAt > GRACE_MS) {
        await ownership.confirm();
        await client.destroy(`${pod.metadata?.name}.${pod.metadata?.uid}`);
      }
    }
  };
  try {
    await Promise.race([remove(), late]);
  } catch (error) {
    // A cluster that is away keeps no relay from its other sandboxes; at the next start it is looked at again.
    const { message } = toSandpiperError(error);
    log.log('warn', 'sandbox', 'Pods that ended could not be looked for', { message });
  }
}
