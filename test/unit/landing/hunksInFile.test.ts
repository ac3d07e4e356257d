import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastApply, undoApply, type UnsavedEdits } from '../../../landing/applyChanges.ts';
import { candidates, hunksInFile, touches, withoutHunks, type FileSides } from '../../../landing/hunksInFile.ts';
import { rejectInFile, type ReviewSide } from '../../../landing/rejectInFile.ts';
import type { Hunk } from '../../../protocol/review.ts';
import { nameHunks, parseHunks } from '../../../server/src/review/hunks.ts';
import { ApplyWorld } from '../../support/applyWorld.ts';
import { runGit, useTempFolder, writeFiles } from '../../support/tempRepository.ts';

const lines = (changes: Record<number, string> = {}, end = '\n'): string =>
  Array.from({ length: 12 }, (_, index) => `${changes[index + 1] ?? `line ${index + 1}`}${end}`).join('');
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('the hunks of a review in a user’s file', function () {
  this.timeout(30_000);
  const folder = useTempFolder();
  const environment = process.env;

  /** As the relay has them, from git itself. */
  const hunksOf = (accepted: string, proposed: string): Hunk[] => {
    const root = join(folder(), `diff-${Math.random()}`);
    writeFiles(root, { a: bytes(accepted), b: bytes(proposed) });
    runGit(root, ['init', '-q']);
    const ids = ['a', 'b'].map(name => runGit(root, ['hash-object', '-w', '--no-filters', name]).trim());
    return nameHunks('a', parseHunks(bytes(runGit(root, ['diff', '-U0', ...ids]))));
  };
  const sidesOf = (accepted: string, proposed: string, user: string): FileSides => ({
    accepted: bytes(accepted),
    proposed: bytes(proposed),
    user: bytes(user),
  });

  it('are found between the user’s own changes, at the user’s lines', async () => {
    const proposed = lines({ 5: 'five', 9: 'nine\nand a half' });
    const hunks = hunksOf(lines(), proposed);
    const user = `mine\n${proposed.replace('line 12', 'mine too')}`;
    const places = await hunksInFile(sidesOf(lines(), proposed, user), hunks, environment);
    assert.deepEqual(
      places.map(place => place.lines),
      [
        { start: 5, end: 6 },
        { start: 9, end: 11 },
      ],
    );
  });

  it('are not found where the user changed or removed them', async () => {
    const proposed = lines({ 5: 'five', 9: 'nine' });
    const hunks = hunksOf(lines(), proposed);
    const changed = await hunksInFile(sidesOf(lines(), proposed, lines({ 5: 'cinq', 9: 'nine' })), hunks, environment);
    assert.deepEqual(
      changed.map(({ hunk }) => hunk.newStart),
      [8],
    );
    assert.deepEqual(await hunksInFile(sidesOf(lines(), proposed, lines()), hunks, environment), []);
  });

  it('are taken out and everything else stays, with CRLF, without a last end, with bytes that are no UTF-8', async () => {
    const proposed = lines({ 3: 'three', 12: 'twelve' }).slice(0, -1);
    const accepted = lines().slice(0, -1);
    const [first, last] = hunksOf(accepted, proposed);
    assert.ok(first && last);
    const mixed = `\xe9 mine\r\n${proposed.replaceAll('\n', '\r\n')}`;
    assert.equal(
      (await withoutHunks(sidesOf(accepted, proposed, mixed), [last], environment))?.toString('latin1'),
      mixed.replace('twelve', 'line 12'),
    );
    assert.equal(
      (await withoutHunks(sidesOf(accepted, proposed, mixed), [first, last], environment))?.toString('latin1'),
      mixed.replace('twelve', 'line 12').replace('three', 'line 3'),
    );
  });

  it('are deletions too, and stand between two lines', async () => {
    const proposed = lines().replace('line 6\n', '');
    const hunks = hunksOf(lines(), proposed);
    const sides = sidesOf(lines(), proposed, `mine\n${proposed}`);
    const [place] = await hunksInFile(sides, hunks, environment);
    assert.deepEqual(place?.lines, { start: 6, end: 6 });
    assert.equal((await withoutHunks(sides, hunks, environment))?.toString(), `mine\n${lines()}`);
  });

  it('are told apart by where they were in the accepted file', () => {
    const hunks = hunksOf(lines(), lines({ 5: 'five', 9: 'nine' }));
    const shown = { accepted: { start: 8, end: 9 }, user: { start: 8, end: 9 } };
    assert.deepEqual(
      candidates(hunks, shown).map(({ oldStart }) => oldStart),
      [8],
    );
    assert.ok(touches({ start: 3, end: 3 }, { start: 3, end: 5 }));
    assert.ok(!touches({ start: 3, end: 4 }, { start: 4, end: 5 }));
  });

  describe('when they are rejected there', () => {
    const editor: UnsavedEdits = {
      isUnsaved: () => Promise.resolve(false),
      apply: () => Promise.resolve(),
      changed: () => Promise.resolve([]),
      undo: () => Promise.resolve(),
    };
    /** Notes what becomes of the decision. */
    const reviewOf = (during: () => void = () => {}): ReviewSide & { log: string[] } => {
      const log: string[] = [];
      return {
        log,
        reject: () => {
          log.push('rejected');
          during();
          return Promise.resolve();
        },
        takeBack: () => {
          log.push('taken back');
          return Promise.resolve();
        },
      };
    };
    const begin = async () => {
      const world = new ApplyWorld(folder(), { a: lines(), 'run.sh': 'old\n' });
      const proposed = lines({ 5: 'five', 9: 'nine' });
      world.agent(root => writeFiles(root, { a: proposed, new: 'new\n' }));
      await world.apply();
      const user = await world.user();
      const about = { sessionId: 'ses_x', commit: world.base, from: 'all' as const };
      const place = { records: world.records, user, editor, about };
      const read = () => readFileSync(join(world.root, 'a'), 'utf8');
      return { world, place, proposed, read };
    };

    it('leave the file, and come back when that is undone; the apply before can be undone after it', async () => {
      const { world, place, proposed, read } = await begin();
      const before = bytes(proposed);
      const file = { path: 'a', before, after: bytes(lines({ 9: 'nine' })), isUnsaved: false, executable: false };
      const review = reviewOf();
      await rejectInFile(place, file, review);
      assert.deepEqual([read(), review.log], [lines({ 9: 'nine' }), ['rejected']]);
      const rejection = await lastApply(world.records, world.root);
      assert.equal(rejection?.title, 'Reject in a');
      assert.ok(rejection);
      await undoApply(world.records, rejection);
      assert.equal(read(), proposed);
      const apply = await lastApply(world.records, world.root);
      assert.ok(apply);
      await undoApply(world.records, apply);
      assert.equal(read(), lines());
    });

    it('stay in both when the user saved the file in that moment, and not a byte of theirs is lost', async () => {
      const { world, place, proposed, read } = await begin();
      const review = reviewOf(() => writeFileSync(join(world.root, 'a'), 'saved just now\n'));
      const file = { path: 'a', before: bytes(proposed), after: bytes(lines()), isUnsaved: false, executable: false };
      await assert.rejects(rejectInFile(place, file, review), /a could not be changed\..*Nothing was rejected/);
      assert.deepEqual([read(), review.log], ['saved just now\n', ['rejected', 'taken back']]);
    });

    it('stay in both when the user began to type in that moment', async () => {
      const { place, proposed, read } = await begin();
      const typing = { ...editor, isUnsaved: () => Promise.resolve(true) };
      const review = reviewOf();
      const file = { path: 'a', before: bytes(proposed), after: bytes(lines()), isUnsaved: false, executable: false };
      await assert.rejects(rejectInFile({ ...place, editor: typing }, file, review), /unsaved text/);
      assert.deepEqual([read(), review.log], [proposed, ['rejected', 'taken back']]);
    });

    it('touch no file when the review refuses', async () => {
      const { place, proposed, read } = await begin();
      const review: ReviewSide = { reject: () => Promise.reject(new Error('stale')), takeBack: () => assert.fail() };
      const file = { path: 'a', before: bytes(proposed), after: bytes(lines()), isUnsaved: false, executable: false };
      await assert.rejects(rejectInFile(place, file, review), /stale/);
      assert.equal(read(), proposed);
    });

    it('do not push the apply that they belong to out of what can be undone', async () => {
      const { world, place } = await begin();
      let now = lines({ 5: 'five', 9: 'nine' });
      for (let round = 0; round < 22; round++) {
        const after = `${now}${round}\n`;
        const file = { path: 'a', before: bytes(now), after: bytes(after), isUnsaved: false, executable: false };
        await rejectInFile(place, file, reviewOf());
        now = after;
      }
      const records = await world.records.list(world.root);
      assert.equal(records.length, 23);
      assert.equal(records.at(-1)?.part, undefined);
    });
  });
});
