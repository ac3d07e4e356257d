import { lstat, mkdir, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import { SandpiperError, toError } from '../../../protocol/errors.ts';

/** The kernel's limit for the path of a unix socket, without the closing zero. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;

/**
 * In a container the agent of a relay of root is another user. Who may come so far is decided by the folders above, which
 * are the relay's alone.
 */
const FOR_SANDBOXES = process.getuid?.() === 0 ? { readableAll: true, writableAll: true } : {};

/**
 * Listens on a unix socket, in place of one that a killed relay left behind, in a folder that nobody else can write to.
 * @param what it is, for a person
 * @throws `invalid_params` when the path is too long, `sandbox_unavailable` when it cannot be made
 */
export async function listenOnSocket(server: Server, path: string, what = 'The model socket'): Promise<void> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw new SandpiperError(
      'invalid_params',
      `${what} would have a path of more than ${MAX_SOCKET_PATH_BYTES} bytes: ${path}`,
      { hint: 'Choose a shorter data folder with SANDPIPER_DATA.' },
    );
  }
  try {
    await mkdir(dirname(path), { recursive: true });
    // Left behind by a relay that was killed. Only a socket is removed.
    if ((await lstat(path).catch(() => undefined))?.isSocket() === true) {
      await rm(path);
    }
    await listen(server, () => server.listen({ path, ...FOR_SANDBOXES }));
  } catch (error) {
    throw new SandpiperError('sandbox_unavailable', `${what} could not be made: ${toError(error).message}`, {
      hint: 'Check that the data folder can be written and that its file system allows sockets.',
      cause: error,
    });
  }
}

/** Resolves when `start` made the server listen. */
export function listen(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    start();
  });
}

/** Cuts every connection. */
export function closeServer(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
