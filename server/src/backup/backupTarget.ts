import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { explainDiskFull } from '../core/diskSpace.ts';

/**
 * The file that a backup becomes: the target itself, or one named after the time in a target that is a folder.
 * @throws `conflict` when it exists, `invalid_params` when it cannot be written
 */
export async function chooseFile(target: string, createdAt: number): Promise<string> {
  const path = resolve(target);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    const time = new Date(createdAt).toISOString().slice(0, 19).replaceAll(':', '-');
    return join(path, `sandpiper-${time}.tar`);
  }
  if (found) {
    throw existsAlready(path);
  }
  await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw cannotWrite(path, error);
  });
  return path;
}

export async function refuseExisting(file: string): Promise<void> {
  if (await stat(file).catch(() => undefined)) {
    throw existsAlready(file);
  }
}

/** What a backup to the same place left behind when it was killed. */
export async function removeAbandoned(file: string): Promise<void> {
  const prefix = `${basename(file)}.partial-`;
  for (const name of await readdir(dirname(file))) {
    const pid = Number(new RegExp(`^(\\d+)-`).exec(name.slice(prefix.length))?.[1]);
    if (name.startsWith(prefix) && pid > 0 && !isAlive(pid)) {
      await rm(join(dirname(file), name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function existsAlready(file: string): SandpiperError {
  return new SandpiperError('conflict', `${file} exists already.`, {
    hint: 'Choose another name, or a folder: the file is then named after the time.',
  });
}

export function cannotWrite(file: string, cause: unknown): unknown {
  const explained = explainDiskFull(cause);
  return explained === cause
    ? new SandpiperError('invalid_params', `${file} cannot be written: ${toSandpiperError(cause).message}`, {
        hint: 'Choose a place that you may write to.',
        cause,
      })
    : explained;
}
