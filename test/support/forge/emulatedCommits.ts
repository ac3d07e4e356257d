import { plainGit } from '../plainGit.ts';
import type { EmulatedRepository } from './dialect.ts';

/** The commit of a branch, or undefined when there is no such branch. */
export async function commitOf({ bareFolder }: EmulatedRepository, branch: string): Promise<string | undefined> {
  return plainGit(bareFolder, ['rev-parse', '--verify', '-q', `refs/heads/${branch}^{commit}`]).catch(() => undefined);
}
