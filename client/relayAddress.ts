import { chmod, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError, toError } from '../protocol/errors.ts';
import { isRecord } from '../protocol/isRecord.ts';
import { t } from '../protocol/text.ts';

/** Where a relay on this machine listens, and the secret that lets one in. */
export interface RelayAddress {
  url: string;
  token: string;
  version: string;
  pid: number;
}

export function relayAddressFile(dataFolder: string): string {
  return join(dataFolder, 'relay.json');
}

/** Writes the address so that no reader ever sees a part of it and nobody else may read it. */
export async function writeRelayAddress(dataFolder: string, address: RelayAddress): Promise<void> {
  const file = relayAddressFile(dataFolder);
  const part = `${file}.${address.pid}`;
  try {
    await writeFile(part, `${JSON.stringify(address)}\n`, { mode: 0o600 });
    // A file that was there before keeps its mode.
    await chmod(part, 0o600);
    await rename(part, file);
  } catch (thrown) {
    await rm(part, { force: true });
    throw thrown;
  }
}

/**
 * The address that stands in the data folder, whether or not a relay is there. Undefined when there is none.
 * @throws forbidden when others may read the token or it is not ours, invalid_request when it is no address
 */
export async function readRelayAddress(dataFolder: string): Promise<RelayAddress | undefined> {
  const file = relayAddressFile(dataFolder);
  let text: string;
  try {
    const { mode, uid } = await stat(file);
    refuseForeign(file, mode, uid);
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    if (thrown instanceof SandpiperError) {
      throw thrown;
    }
    if (isRecord(thrown) && thrown['code'] === 'ENOENT') {
      return undefined;
    }
    throw new SandpiperError('forbidden', t('{0} cannot be read: {1}.', file, toError(thrown).message), {
      hint: t('Make the data folder readable for you, or choose another.'),
      cause: thrown,
    });
  }
  const address = parseRelayAddress(text);
  if (!address) {
    throw new SandpiperError('invalid_request', t('{0} is not the address of a relay.', file), {
      hint: t('Stop the relay, delete this file and start the relay again.'),
    });
  }
  return address;
}

/** Undefined when the text is no address. */
export function parseRelayAddress(text: string): RelayAddress | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) {
    return undefined;
  }
  const { url, token, version, pid } = value;
  return typeof url === 'string' &&
    /^https?:\/\/[^/]+$/.test(url) &&
    URL.canParse(url) &&
    typeof token === 'string' &&
    /^[\w-]{20,}$/.test(token) &&
    typeof version === 'string' &&
    typeof pid === 'number' &&
    Number.isInteger(pid) &&
    pid > 0
    ? { url, token, version, pid }
    : undefined;
}

function refuseForeign(file: string, mode: number, uid: number): void {
  if (process.platform === 'win32') {
    return;
  }
  if ((mode & 0o077) !== 0) {
    throw new SandpiperError('forbidden', t('{0} can be read by others, so its token is no secret any more.', file), {
      hint: t('Run "chmod 600" on it and restart the relay, which makes a new token.'),
    });
  }
  if (process.getuid && uid !== process.getuid()) {
    throw new SandpiperError('forbidden', t('{0} belongs to another user.', file), {
      hint: t('Use a data folder of your own.'),
    });
  }
}
