import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gitFailed, tryGit } from './git.ts';
import type { Mirror } from './mirror.ts';

/** Texts of more bytes are not merged line by line. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * The three-way merge of a text, on bytes; undefined where both sides changed the same lines, or it is no text. The texts are
 * in the mirror's folder meanwhile, where what a relay leaves that is killed is cleared away.
 */
export async function mergeText(
  mirror: Mirror,
  { base, ours, theirs }: { base: Buffer; ours: Buffer; theirs: Buffer },
): Promise<Buffer | undefined> {
  if ([base, ours, theirs].some(content => content.length > MAX_BYTES || content.includes(0))) {
    return undefined;
  }
  const folder = await mkdtemp(join(mirror.path, 'merge-'));
  try {
    const contents = { ours, base, theirs };
    await Promise.all(Object.entries(contents).map(([name, content]) => writeFile(join(folder, name), content)));
    const args = ['merge-file', '-p', 'ours', 'base', 'theirs'];
    const result = await tryGit(args, { cwd: folder, maxOutputBytes: 4 * MAX_BYTES });
    // The exit code counts conflicts; above that range it is a failure.
    if (result.code === 0) {
      return result.stdout;
    }
    if (result.code === undefined || result.code > 127) {
      throw gitFailed(args, result);
    }
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
