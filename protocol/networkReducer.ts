import type { Network, NetworkRule } from './network.ts';
import { notice, type Handlers } from './reducerParts.ts';
import type { SessionState } from './session.ts';

/* The part of the reducer that follows the network. */

type NetworkEvent = 'networkAllowed' | 'networkForbidden' | 'networkBlocked' | 'networkUsed';

export const networkHandlers: Handlers<NetworkEvent> = {
  networkAllowed: (state, { rules, scope }, { at, seq, items }) => {
    const where = scope === 'session' ? '' : ' in every session of this repository';
    items.add(notice(seq, at, 'info', `Network access to ${namesOf(rules)} is allowed${where}.`));
    const { allowed, seen } = networkOf(state);
    return { network: { allowed: [...without(allowed, rules), ...rules], seen } };
  },
  networkForbidden: (state, { rules }, { at, seq, items }) => {
    items.add(notice(seq, at, 'info', `Network access to ${namesOf(rules)} is not allowed any more.`));
    const { allowed, seen } = networkOf(state);
    return { network: { allowed: without(allowed, rules), seen } };
  },
  networkBlocked: (state, { host, port, reason }, { at, seq, items }) => {
    const name = networkName({ host, port });
    const hint =
      reason === 'notAllowed' ? 'Allow it with “Sandpiper: Manage Network Access…” or `sandpiper network`.' : undefined;
    items.add(notice(seq, at, 'warning', `Network access to ${name} was refused: ${WHY[reason] ?? reason}.`, hint));
    const { allowed, seen } = networkOf(state);
    return { network: { allowed, seen: [...seen, { at, host, port, blocked: reason }] } };
  },
  networkUsed: (state, { host, port }, { at }) => {
    const { allowed, seen } = networkOf(state);
    return { network: { allowed, seen: [...seen, { at, host, port }] } };
  },
};

const WHY: Readonly<Record<string, string>> = {
  notAllowed: 'nobody has allowed it',
  readOnly: 'it may only be read from',
  privateAddress: 'it is an address of a private network',
  unknownHost: 'there is no such host',
  unreachable: 'it does not answer',
  quota: 'the session has sent as much as it may',
};

export function networkOf({ network }: Pick<SessionState, 'network'>): Network {
  return network ?? { allowed: [], seen: [] };
}

/** As a person writes it. */
export function networkName({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function namesOf(rules: readonly NetworkRule[]): string {
  return rules.map(networkName).join(', ');
}

function without(rules: readonly NetworkRule[], taken: readonly NetworkRule[]): NetworkRule[] {
  return rules.filter(rule => !taken.some(({ host, port }) => rule.host === host && rule.port === port));
}
