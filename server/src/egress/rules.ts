import { SandpiperError } from '../../../protocol/errors.ts';
import type { NetworkRule } from '../../../protocol/network.ts';

const DEFAULT_PORT = 443;

const https = (...hosts: string[]): NetworkRule[] => hosts.map(host => ({ host, port: DEFAULT_PORT }));
const readOnly = (...hosts: string[]): NetworkRule[] => hosts.map(host => ({ host, port: 80, readOnly: true }));

/** What package managers need, by the name of the registry. */
export const EGRESS_PRESETS: Readonly<Record<string, readonly NetworkRule[]>> = {
  npm: https('registry.npmjs.org'),
  pypi: https('pypi.org', 'files.pythonhosted.org'),
  crates: https('index.crates.io', 'static.crates.io'),
  go: https('proxy.golang.org', 'sum.golang.org'),
  debian: [
    ...https('deb.debian.org', 'security.debian.org'),
    { host: 'deb.debian.org', port: 80 },
    { host: 'security.debian.org', port: 80 },
  ],
  github: readOnly('github.com', 'codeload.github.com', 'raw.githubusercontent.com', 'objects.githubusercontent.com'),
};

/** Whether a host is one that a preset only lets read. */
export function isReadOnlyHost(host: string): boolean {
  return (EGRESS_PRESETS['github'] ?? []).some(rule => rule.host === hostOf(host));
}

const NAME = /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const V4 = /^\d{1,3}(\.\d{1,3}){3}$/;
const V6 = /^[0-9a-f:.]*:[0-9a-f:.]*$/;

/**
 * Rules from what a person wrote: a preset's name, `host`, `host:port`, `*.host:port` or `[v6]:port`. Without a port 443 is
 * meant. A name of one word is a preset's; a host of one word needs its port.
 * @throws `invalid_params`
 */
export function parseEgress(text: string): NetworkRule[] {
  const word = text.trim().toLowerCase();
  const preset = Object.hasOwn(EGRESS_PRESETS, word) ? EGRESS_PRESETS[word] : undefined;
  if (preset) {
    return [...preset];
  }
  const match = /^(?:\[([^\]]+)\]|([^:[\]/]+))(?::(\d{1,5}))?$/.exec(word);
  const [, v6, name, portText] = match ?? [];
  const host = hostOf(v6 ?? name ?? '');
  const port = portText === undefined ? DEFAULT_PORT : Number(portText);
  const isPlain = v6 === undefined ? NAME.test(host) && (host.includes('.') || portText !== undefined) : V6.test(host);
  // "*.com" and the like would be everybody.
  const isNarrow = !host.startsWith('*.') || host.split('.').length > 2;
  if (!isPlain || !isNarrow || port < 1 || port > 65_535) {
    throw new SandpiperError(
      'invalid_params',
      `"${text.slice(0, 200)}" is no host that network access can be given to.`,
      {
        hint: `Write host, host:port or *.host:port, or one of ${Object.keys(EGRESS_PRESETS).join(', ')}.`,
      },
    );
  }
  // Unencrypted these only lead to their encrypted selves.
  return [{ host, port, ...(port === 80 && isReadOnlyHost(host) ? { readOnly: true } : {}) }];
}

/** The rule that lets a connection pass, or undefined. `host` as a program wrote it. */
export function ruleFor(rules: readonly NetworkRule[], host: string, port: number): NetworkRule | undefined {
  const wanted = hostOf(host);
  return rules.find(rule => rule.port === port && matches(rule.host, wanted));
}

function matches(pattern: string, host: string): boolean {
  // Numbers are no names below anything.
  return pattern.startsWith('*.')
    ? host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1 && !V4.test(host)
    : pattern === host;
}

/** One spelling for one host. */
export function hostOf(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
}

export function isSamePlace(one: NetworkRule, other: NetworkRule): boolean {
  return one.host === other.host && one.port === other.port;
}
