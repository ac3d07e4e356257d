import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import { writePrivate } from './writePrivate.ts';

/**
 * Makes the relay's folder, readable by its owner only. One that is there already is closed to others only when it is
 * empty or a relay's: `SANDPIPER_DATA=/tmp` must not lock everybody out of it.
 * @throws `forbidden` for a folder of other files that others may read, `unavailable` when it cannot be used, `disk_full`
 */
export async function openDataFolder(folder: string): Promise<void> {
  try {
    const isNew = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
    if (!isNew && process.platform !== 'win32' && ((await stat(folder)).mode & 0o077) !== 0) {
      await refuseForeignFolder(folder);
      await chmod(folder, 0o700);
    }
    const probe = join(folder, `.probe-${process.pid}`);
    await writeFile(probe, 'probe');
    await rm(probe);
  } catch (error) {
    throw error instanceof SandpiperError ? error : folderError(folder, error);
  }
}

const OWN_FILES = ['relay.lock', 'relay.log', 'relay.db', 'token'];

async function refuseForeignFolder(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length > 0 && !names.some(name => OWN_FILES.includes(name))) {
    throw new SandpiperError('forbidden', `The data folder ${folder} holds other files, and other users may read it.`, {
      hint: 'Choose an empty folder with SANDPIPER_DATA: the relay keeps it to itself.',
    });
  }
}

/**
 * A 256-bit secret in a file that only its owner may read; made at the first start and kept.
 * @throws `forbidden` when the file cannot be read, may be read by others or does not hold a secret
 */
export async function readOrMakeSecret(path: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') {
      throw new SandpiperError('forbidden', `The token file ${path} cannot be read: ${toError(error).message}.`, {
        hint: 'Give yourself the right to read it, or remove it: the relay then makes a new token.',
        cause: error,
      });
    }
    const secret = randomBytes(32).toString('base64url');
    await writePrivate(path, `${secret}\n`);
    return secret;
  }
  if (process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0) {
    throw new SandpiperError('forbidden', `The token file ${path} may be read by other users.`, {
      hint: `Run: chmod 600 ${path} — or remove it: the relay then makes a new token.`,
    });
  }
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) {
    throw new SandpiperError('forbidden', `The token file ${path} does not hold a token.`, {
      hint: 'Remove it: the relay then makes a new one.',
    });
  }
  return text;
}

function folderError(folder: string, error: unknown): SandpiperError {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SandpiperError('disk_full', `The disk is full: ${folder} cannot be written.`, {
      hint: 'Make room and start again.',
      cause: error,
    });
  }
  return new SandpiperError('unavailable', `The data folder ${folder} cannot be used: ${toError(error).message}.`, {
    hint: 'Choose another folder with SANDPIPER_DATA.',
    cause: error,
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
