import { lookup as systemLookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { isLinkLocal, isPublicAddress } from './addresses.ts';

/** Why a connection was not made. */
export type DialRefusal = 'privateAddress' | 'unknownHost' | 'unreachable';

export interface DialOptions {
  host: string;
  port: number;
  /** The host may be in somebody's own network: the operator of the relay named it. Of a link (metadata services) never. */
  allowPrivate: boolean;
  /** Gives every address of a name. Default: the system's. */
  lookup?: (host: string) => Promise<string[]>;
  timeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 15_000;

/**
 * Connects to a host. The name is resolved here, once, and the connection goes to an address that was checked: whoever answers
 * the next question for the same name with another address changes nothing. One private address among many refuses all.
 */
export async function dial(options: DialOptions): Promise<Socket | DialRefusal> {
  const { host, port, allowPrivate, lookup = everyAddress, timeoutMs = CONNECT_TIMEOUT_MS } = options;
  const addresses = isIP(host) === 0 ? await lookup(host).catch(() => []) : [host];
  if (addresses.length === 0) {
    return 'unknownHost';
  }
  if (!addresses.every(allowPrivate ? address => !isLinkLocal(address) : isPublicAddress)) {
    return 'privateAddress';
  }
  for (const address of addresses.slice(0, 4)) {
    const socket = await open(address, port, timeoutMs);
    if (socket) {
      return socket;
    }
  }
  return 'unreachable';
}

async function everyAddress(host: string): Promise<string[]> {
  return (await systemLookup(host, { all: true })).map(({ address }) => address);
}

function open(address: string, port: number, timeoutMs: number): Promise<Socket | undefined> {
  return new Promise(resolve => {
    const socket = connect({ host: address, port, noDelay: true, allowHalfOpen: true });
    const giveUp = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(undefined);
    };
    const timer = setTimeout(giveUp, timeoutMs);
    // Stays: whoever takes the socket may be gone when it fails.
    socket.on('error', giveUp);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}
