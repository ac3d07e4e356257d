import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Mirror } from '../../../server/src/git/mirror.ts';
import { mergeAfterReview } from '../../../server/src/review/mergeAfterReview.ts';
import { runGit, useTempFolder } from '../../support/tempRepository.ts';
import { commitFiles } from '../../support/treeFiles.ts';

const LINES = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/** The agent made ONE and FIVE; the reviewer took ONE out and typed MINE, and that is in the agent's files. */
const AGENTS = { 0: 'ONE', 4: 'FIVE' };
const APPLIED = { 2: 'MINE', 4: 'FIVE' };

describe('a turn after a review was brought into the files', () => {
  const folder = useTempFolder();
  let mirror: Mirror;

  beforeEach(() => {
    const path = join(folder(), 'mirror.git');
    runGit(folder(), ['init', '-q', '--bare', path]);
    mirror = { path, objects: join(path, 'objects') };
  });

  const text = (changes: Record<number, string>): string =>
    `${LINES.map((line, index) => changes[index] ?? line).join('\n')}\n`;
  const commit = (changes: Record<number, string>): string =>
    commitFiles(mirror.path, { list: { content: text(changes) } });
  const merge = (ours: Record<number, string>, theirs: Record<number, string>) =>
    mergeAfterReview(mirror, {
      agents: commit(AGENTS),
      base: commit(APPLIED),
      ours: commit(ours),
      theirs: commit(theirs),
    });
  const shown = (at: string): string => `${runGit(mirror.path, ['show', `${at}:list`])}\n`;

  it('brings what the agent did, and nothing of what it put back', async () => {
    const merged = await merge(APPLIED, { 0: 'ONE', 4: 'FIVE', 8: 'NINE' });
    assert.deepEqual(merged.conflicts, []);
    assert.equal(shown(merged.commit), text({ ...APPLIED, 8: 'NINE' }));
  });

  it('keeps a rejection that the reviewer took back meanwhile taken back', async () => {
    const merged = await merge({ 0: 'ONE', 2: 'MINE', 4: 'FIVE' }, { ...APPLIED, 8: 'NINE' });
    assert.deepEqual(merged.conflicts, []);
    assert.equal(shown(merged.commit), text({ 0: 'ONE', 2: 'MINE', 4: 'FIVE', 8: 'NINE' }));
  });

  it('keeps what the reviewer rejected meanwhile, and what they typed', async () => {
    const merged = await merge({ 2: 'MINE', 6: 'TYPED' }, { ...APPLIED, 8: 'NINE' });
    assert.deepEqual(merged.conflicts, []);
    assert.equal(shown(merged.commit), text({ 2: 'MINE', 6: 'TYPED', 8: 'NINE' }));
  });

  it('takes what the agent built on the reviewer’s lines, or shows the conflict with what the reviewer has now', async () => {
    const built = { 2: 'MINE\nafter mine', 4: 'FIVE' };
    const merged = await merge(APPLIED, built);
    assert.deepEqual([merged.conflicts, shown(merged.commit)], [[], text(built)]);
    const ours = { 2: 'MINE', 4: 'FIVE', 6: 'TYPED' };
    const replaced = await merge(ours, { 2: 'THEIRS', 4: 'FIVE' });
    assert.equal(shown(replaced.commit), text(ours));
    const [conflict, ...more] = replaced.conflicts;
    const entry = runGit(mirror.path, ['rev-parse', `${commit(ours)}:list`]);
    assert.deepEqual([conflict?.path, conflict?.ours?.id, more.length], ['list', entry, 0]);
  });
});
