import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import { exportBundle, readExport } from '../git/exports.ts';
import type { Mirror } from '../git/mirror.ts';
import { ASK_SCRIPT, parsePresent, RECEIVE_SCRIPT } from '../git/sandboxMirrorScripts.ts';
import type { Sandbox } from '../sandboxes/provider.ts';

/*
 * The mirror as a sandbox sees it. Where folders of the relay can be mounted it is the mirror itself, read-only; elsewhere
 * it is a bare repository inside, which gets the commits that it lacks as bundles.
 */

/** Where a mounted mirror appears in a sandbox that isolates. */
export const MOUNTED_MIRROR = '/mnt/sandpiper/mirror.git';

const ASK_TIMEOUT_MS = 60_000;
const RECEIVE_TIMEOUT_MS = 10 * 60_000;
/** A file is written whole, from memory. */
export const PIECE_BYTES = 8 << 20;

/** Path of the mirror inside the sandbox. */
export function mirrorIn(sandbox: Sandbox, mirror: Mirror): string {
  if (!sandbox.hostMounts) {
    return `${sandbox.paths.journal}/.mirror.git`;
  }
  return sandbox.isolation === 'none' ? mirror.path : MOUNTED_MIRROR;
}

/** Where the checkpoint script keeps its own index and objects. */
export function scratchOf(sandbox: Sandbox): string {
  return `${sandbox.paths.journal}/checkpoint`;
}

/**
 * Makes sure that git inside the sandbox finds these commits of the mirror with all that they need. May be repeated after a
 * failure at any point.
 * @param likely commits that it may have, so that only the difference is sent
 * @throws `git_failed`, `sandbox_gone`
 */
export async function bringCommits(
  sandbox: Sandbox,
  mirror: Mirror,
  wanted: readonly string[],
  likely: readonly string[] = [],
): Promise<void> {
  if (sandbox.hostMounts) {
    return;
  }
  const inside = mirrorIn(sandbox, mirror);
  const { journal } = sandbox.paths;
  const asked = await runGit(sandbox, ASK_SCRIPT, [inside, scratchOf(sandbox), ...wanted, ...likely], ASK_TIMEOUT_MS);
  const present = parsePresent(asked);
  const missing = wanted.filter(commit => !present.has(commit));
  if (missing.length === 0) {
    return;
  }
  const pieces = `${journal}/.incoming`;
  const { id, bytes } = await exportBundle(mirror, {
    refs: Object.fromEntries(missing.map(commit => [`refs/sandpiper/brought/${commit}`, commit])),
    have: [...present],
  });
  await runGit(sandbox, 'rm -rf "$1"', [pieces], ASK_TIMEOUT_MS);
  for (let offset = 0, number = 0; offset < bytes; offset += PIECE_BYTES, number++) {
    const { content } = await readExport(mirror, id, offset, PIECE_BYTES);
    await sandbox.writeFile(`${pieces}/${String(number).padStart(6, '0')}`, content);
  }
  const shallow = await shallowOf(mirror);
  if (shallow) {
    await sandbox.writeFile(`${inside}/shallow`, shallow);
  }
  await runGit(sandbox, RECEIVE_SCRIPT, [inside, scratchOf(sandbox), pieces, ...missing], RECEIVE_TIMEOUT_MS);
}

/** Where the history of a shallow mirror ends. */
export async function shallowOf(mirror: Mirror): Promise<Buffer | undefined> {
  return readFile(join(mirror.path, 'shallow')).catch(() => undefined);
}

export function couldNotTake(code: number, stderr: Buffer): SandpiperError {
  const said = stderr.toString('utf8').trim().split('\n').slice(-3).join(' ').slice(0, 500);
  return new SandpiperError('git_failed', `The sandbox could not take commits of the repository: ${said}`, {
    hint:
      code === 127
        ? 'There is no git in the image of the sandbox: choose another image.'
        : 'Retry the session. If it fails again, run `sandpiper doctor`.',
  });
}

async function runGit(sandbox: Sandbox, script: string, args: readonly string[], timeoutMs: number): Promise<string> {
  const { code, stdout, stderr } = await sandbox.exec(['sh', '-c', script, 'sh', ...args], { timeoutMs });
  if (code !== 0) {
    throw couldNotTake(code, stderr);
  }
  return stdout.toString();
}
