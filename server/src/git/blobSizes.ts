import { git } from './git.ts';
import type { Mirror } from './mirror.ts';

/** How many bytes objects have, by id; one that is not there is absent. */
export async function blobSizes(mirror: Mirror, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) {
    return new Map();
  }
  const output = await git(['cat-file', '--batch-check=%(objectname) %(objectsize)'], {
    gitDir: mirror.path,
    stdin: Buffer.from(ids.map(id => `${id}\n`).join('')),
  });
  return new Map(
    output
      .toString('utf8')
      .split('\n')
      .flatMap((line): [string, number][] => {
        const [, id, size] = /^([0-9a-f]{40}) (\d+)$/.exec(line) ?? [];
        return id === undefined ? [] : [[id, Number(size)]];
      }),
  );
}
