import { join } from 'node:path';
import { runGit } from './tempRepository.ts';

/** Files of a tree by path, with any mode. */
export type TreeFiles = Record<string, { mode?: string; content: string | Buffer }>;

/** A commit without parents that has these files, made in a bare repository. */
export function commitFiles(gitDir: string, files: TreeFiles): string {
  const entries = Object.entries(files).map(([path, { mode = '100644', content }]) => {
    const id = runGit(gitDir, ['hash-object', '-w', '--stdin'], { input: Buffer.from(content) });
    return `${mode} ${id}\t${path}\0`;
  });
  const env = { GIT_INDEX_FILE: join(gitDir, `index-${Math.random()}`) };
  runGit(gitDir, ['update-index', '-z', '--index-info'], { input: entries.join(''), env });
  return runGit(gitDir, ['commit-tree', '-m', 'files', runGit(gitDir, ['write-tree'], { env })]);
}
