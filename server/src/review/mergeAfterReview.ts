import { ObjectReader } from '../git/objectReader.ts';
import type { Mirror } from '../git/mirror.ts';
import { entryAt, treeOf } from '../git/tree.ts';
import { takeFile } from './decide.ts';
import { mergeTrees, type Merged } from './mergeTrees.ts';
import { readRawHunks } from './pending.ts';

const WHAT = 'a new turn';

/**
 * Brings the turn that followed a submitted review into the proposed tree. The turn began with the reviewer's lines in the
 * agent's files (`base`), which had been `agents` before. Where it put back what the reviewer had taken out or replaced, the
 * reviewer's lines stay: so it is merged as if the review had not been applied. Where that is a conflict only because the
 * agent built on the reviewer's lines, what it built is taken; otherwise the conflict is shown.
 */
export async function mergeAfterReview(
  mirror: Mirror,
  { agents, base, ours, theirs }: { agents: string; base: string; ours: string; theirs: string },
): Promise<Merged> {
  const strict = await mergeTrees(mirror, { base: agents, ours, theirs }, WHAT);
  if (strict.conflicts.length === 0) {
    return strict;
  }
  const plain = await mergeTrees(mirror, { base, ours, theirs }, WHAT);
  const unclear = new Set(plain.conflicts.map(({ path }) => path));
  const reviewed = await readRawHunks(mirror, agents, ours);
  let { commit } = strict;
  const conflicts: Merged['conflicts'] = [];
  for (const conflict of strict.conflicts) {
    const { path } = conflict;
    const lines = (reviewed.get(path) ?? []).map(({ body }) => addedLines(body));
    const isBuiltOn = !unclear.has(path) && lines.length > 0 && (await hasAll(mirror, plain.commit, path, lines));
    if (isBuiltOn) {
      ({ proposed: commit } = await takeFile(mirror, { accepted: ours, proposed: commit }, path, plain.commit));
    } else {
      conflicts.push(conflict);
    }
  }
  return { commit, conflicts };
}

/** The lines of a hunk that the reviewer has, as they stand in the file. */
function addedLines(body: Buffer): Buffer {
  const lines = body
    .toString('latin1')
    .split('\n')
    .filter(line => line.startsWith('+'));
  return Buffer.from(lines.map(line => `${line.slice(1)}\n`).join(''), 'latin1');
}

/** A hunk that only takes lines out leaves nothing to look for: what comes back of it is pending again. */
async function hasAll(mirror: Mirror, commit: string, path: string, parts: readonly Buffer[]): Promise<boolean> {
  const reader = new ObjectReader(mirror);
  try {
    const entry = await entryAt(reader, await treeOf(reader, commit), path);
    const content = entry ? await reader.readAs(entry.id, 'blob') : Buffer.alloc(0);
    const ended = Buffer.concat([Buffer.from('\n'), content, Buffer.from('\n')]);
    return parts.every(part => ended.includes(Buffer.concat([Buffer.from('\n'), part])));
  } finally {
    reader.dispose();
  }
}
