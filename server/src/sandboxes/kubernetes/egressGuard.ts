import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { VendorFailure } from '../vendors/vendorFailure.ts';
import type { KubernetesClient } from './kubernetesClient.ts';
import { requireTaken } from './kubernetesFailure.ts';
import { networkPolicy, type GatewayPeer } from './networkPolicy.ts';
import { LABEL, type PodPlan } from './podManifest.ts';

export interface EgressSettings {
  /** What pods may reach. */
  network: 'off' | 'open';
  /** `theirs`: whoever runs the cluster sees to it, and the relay needs no right for it. */
  policy: 'make' | 'theirs';
  /** Where the model gateway is reached; undefined: nowhere. */
  gatewayUrl: string | undefined;
  /** The relay's own pods, where it runs in the cluster, and the port that they listen on. */
  gatewayPods: { labels: Readonly<Record<string, string>>; port: number } | undefined;
}

/** Keeps one policy for all pods of a relay as the settings want it. */
export class EgressGuard {
  readonly #client: KubernetesClient;
  readonly #relay: string;
  readonly #settings: EgressSettings;
  #applied: string | undefined;

  constructor(client: KubernetesClient, relay: string, settings: EgressSettings) {
    this.#client = client;
    this.#relay = relay;
    this.#settings = settings;
  }

  /** To be called before a pod is made. @returns the names that it is to know */
  async apply(): Promise<PodPlan['hosts']> {
    const { network, policy, gatewayUrl, gatewayPods } = this.#settings;
    const gateway = gatewayUrl === undefined ? undefined : new URL(gatewayUrl);
    const name = gateway?.hostname.replace(/^\[|\]$/g, '');
    const addresses = name === undefined || network === 'open' ? [] : await addressesOf(name);
    if (policy === 'make') {
      await this.#ensure(network === 'open' ? 'open' : peersOf(gateway, addresses, gatewayPods));
    }
    if (network === 'open') {
      return 'all';
    }
    return name === undefined || isIP(name) !== 0 ? [] : [{ name, addresses }];
  }

  async #ensure(reach: readonly GatewayPeer[] | 'open'): Promise<void> {
    const name = `sandpiper-${this.#relay}`;
    const body = networkPolicy(name, this.#relay, reach);
    const wanted = JSON.stringify(body);
    if (this.#applied === wanted) {
      return;
    }
    await this.#client.call(async ({ networking, namespace, sdk }) => {
      try {
        await networking.createNamespacedNetworkPolicy({ namespace, body });
      } catch (error) {
        requireTaken(sdk, error, namespace);
        const { metadata } = await networking.readNamespacedNetworkPolicy({ name, namespace });
        if (metadata?.labels?.[LABEL.relay] !== this.#relay) {
          throw new VendorFailure('impossible', `the network policy ${name} is there already and is not this relay's`, {
            hint: `Look who made it: kubectl describe networkpolicy ${name}. Use another namespace, or remove it.`,
          });
        }
        await networking.replaceNamespacedNetworkPolicy({ name, namespace, body });
      }
    });
    this.#applied = wanted;
  }
}

function peersOf(
  gateway: URL | undefined,
  addresses: readonly string[],
  pods: EgressSettings['gatewayPods'],
): GatewayPeer[] {
  if (!gateway) {
    return [];
  }
  const port = Number(gateway.port) || (gateway.protocol === 'https:' ? 443 : 80);
  return pods ? [{ kind: 'pods', ...pods }] : [{ kind: 'addresses', addresses, port }];
}

/** A policy and a pod know addresses only: the name is looked up here, where it must lead to the same place as in the cluster. */
async function addressesOf(name: string): Promise<string[]> {
  if (isIP(name) !== 0) {
    return [name];
  }
  try {
    const found = await lookup(name, { all: true });
    return [...new Set(found.map(({ address }) => address))].sort();
  } catch (error) {
    throw new VendorFailure('broken', `the address of the model gateway, ${name}, cannot be looked up`, {
      hint: 'Check SANDPIPER_PUBLIC_URL.',
      cause: error,
    });
  }
}
