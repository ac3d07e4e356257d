import { ObjectReader } from '../git/objectReader.ts';
import type { Mirror } from '../git/mirror.ts';
import { entryAt, treeOf } from '../git/tree.ts';
import { takeFile } from './decide.ts';
import { mergeTrees, type Merged } from './mergeTrees.ts';
import { readRawHunks } from './pending.ts';

const WHAT = 'a new turn';

/**
 * Brings the turn that followed a submitted review into the proposed tree. The turn began with the reviewer's lines in the
 * agent's files (`base`), which had been `agents` before. Where it put back what the reviewer had taken out or replaced, that
 * is left out of it; what is left is merged like any turn, so that what the reviewer decided since counts as well. Where
 * the two cannot be told apart only because the agent built on the reviewer's lines, what it built is taken; otherwise the
 * conflict is shown.
 */
export async function mergeAfterReview(
  mirror: Mirror,
  { agents, base, ours, theirs }: { agents: string; base: string; ours: string; theirs: string },
): Promise<Merged> {
  const kept = await mergeTrees(mirror, { base: agents, ours: base, theirs }, WHAT);
  const reviewed = kept.conflicts.length === 0 ? undefined : await readRawHunks(mirror, agents, base);
  let turn = kept.commit;
  const conflicts: Merged['conflicts'] = [];
  for (const conflict of kept.conflicts) {
    const { path } = conflict;
    const lines = (reviewed?.get(path) ?? []).map(({ body }) => addedLines(body));
    if (lines.length > 0 && (await hasAll(mirror, theirs, path, lines))) {
      ({ proposed: turn } = await takeFile(mirror, { accepted: base, proposed: turn }, path, theirs));
    } else {
      conflicts.push(conflict);
    }
  }
  const merged = await mergeTrees(mirror, { base, ours, theirs: turn }, WHAT);
  return { commit: merged.commit, conflicts: [...merged.conflicts, ...(await asInOurs(mirror, ours, conflicts))] };
}

/** A conflict names what the reviewer has now. */
async function asInOurs(mirror: Mirror, ours: string, conflicts: Merged['conflicts']): Promise<Merged['conflicts']> {
  if (conflicts.length === 0) {
    return [];
  }
  const reader = new ObjectReader(mirror);
  try {
    const tree = await treeOf(reader, ours);
    return await Promise.all(
      conflicts.map(async ({ ours: _before, ...conflict }) => {
        const entry = await entryAt(reader, tree, conflict.path);
        return { ...conflict, ...(entry ? { ours: entry } : {}) };
      }),
    );
  } finally {
    reader.dispose();
  }
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
