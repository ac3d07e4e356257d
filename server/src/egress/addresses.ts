import { BlockList, isIP } from 'node:net';

/*
 * Which addresses are the internet's. Everything else is somebody's own network: this machine, its neighbours, the
 * metadata service of a cloud. What is not known to be public is not.
 */

const PRIVATE_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  // Azure's host speaks to its machines from a public number.
  ['168.63.129.16', 32],
  // Multicast, reserved, broadcast.
  ['224.0.0.0', 3],
];

/** Parts of what is handed out (2000::/3) that lead somewhere else: protocol assignments, Teredo, documentation, 6to4. */
const SPECIAL_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const privateV4 = listOf(PRIVATE_V4, 'ipv4');
const handedOutV6 = listOf([['2000::', 3]], 'ipv6');
const specialV6 = listOf(SPECIAL_V6, 'ipv6');
const ownV6 = listOf(
  [
    ['::1', 128],
    ['fc00::', 7],
  ],
  'ipv6',
);
const linkV4 = listOf(
  [
    ['169.254.0.0', 16],
    ['168.63.129.16', 32],
    ['100.100.100.200', 32],
    ['192.0.0.192', 32],
    ['0.0.0.0', 8],
  ],
  'ipv4',
);

/** Whether an address, as a resolver gives it, is of the internet. Addresses that hold another one in them are not. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !privateV4.check(address, 'ipv4');
    case 6:
      // With a zone it is of a link.
      return !address.includes('%') && handedOutV6.check(address, 'ipv6') && !specialV6.check(address, 'ipv6');
    default:
      return false;
  }
}

/** Where clouds tell machines their secrets. */
export function isLinkLocal(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return linkV4.check(address, 'ipv4');
    case 6:
      // Other ways to write it hold it in them.
      return address.includes('%') || !(handedOutV6.check(address, 'ipv6') || isOwnV6(address));
    default:
      return true;
  }
}

/** This machine, and networks that somebody made for themselves. */
function isOwnV6(address: string): boolean {
  return ownV6.check(address, 'ipv6');
}

function listOf(ranges: readonly (readonly [string, number])[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges) {
    list.addSubnet(network, prefix, family);
  }
  return list;
}
