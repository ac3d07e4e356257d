import type { V1NetworkPolicy, V1NetworkPolicyEgressRule } from '@kubernetes/client-node';
import { LABEL } from './podManifest.ts';

/** Where the model gateway is, as a policy can say it. */
export type GatewayPeer =
  | { kind: 'addresses'; addresses: readonly string[]; port: number }
  /** Pods of the same namespace; `port` is the one that they listen on. */
  | { kind: 'pods'; labels: Readonly<Record<string, string>>; port: number };

/**
 * What the sandboxes of a relay may reach: the model gateway, and nothing asks anything of them. Policies add up, so that a
 * second one of the cluster's owner can allow more.
 * @param reach `open`: everything
 */
export function networkPolicy(name: string, relay: string, reach: readonly GatewayPeer[] | 'open'): V1NetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'sandpiper', [LABEL.relay]: relay } },
    spec: {
      podSelector: { matchLabels: { [LABEL.relay]: relay } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: reach === 'open' ? [{}] : reach.map(ruleOf),
    },
  };
}

function ruleOf(peer: GatewayPeer): V1NetworkPolicyEgressRule {
  return {
    ports: [{ protocol: 'TCP', port: peer.port }],
    to:
      peer.kind === 'pods'
        ? [{ podSelector: { matchLabels: { ...peer.labels } } }]
        : peer.addresses.map(address => ({ ipBlock: { cidr: `${address}/${address.includes(':') ? 128 : 32}` } })),
  };
}
