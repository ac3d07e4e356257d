import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { undecided } from '../../../landing/undecided.ts';

const conflict = (ours: string, base: string, theirs: string): string =>
  `<<<<<<< Yours\n${ours}||||||| Before the session\n${base}=======\n${theirs}>>>>>>> The agent's\n`;

describe('what is undecided of a conflict', () => {
  const marked = `a\n${conflict('mine\n', 'old\n', 'theirs\n')}b\n${conflict('', 'end\n', 'END\n')}`;

  it('is what still has markers, or the text from before', () => {
    assert.equal(undecided(marked, marked), 2);
    assert.equal(undecided(marked, 'a\nold\nb\nend\n'), 2);
    assert.equal(undecided(marked, 'a\nmine\nb\nend\n'), 1);
    assert.equal(undecided(marked, 'a\r\nold\r\nb\r\n'), 1);
  });

  it('is nothing once each was decided, for either side, both or something else', () => {
    for (const [first, last] of [
      ['mine\n', ''],
      ['theirs\n', 'END\n'],
      ['mine\ntheirs\n', 'x\n'],
      ['', 'END\n'],
    ]) {
      assert.equal(undecided(marked, `a\n${first}b\n${last}`), 0, first);
    }
  });

  it('is a place where both added and neither was taken', () => {
    const added = `a\n${conflict('mine\n', '', 'theirs\n')}b\n`;
    assert.equal(undecided(added, 'a\nb\n'), 1);
    assert.equal(undecided(added, 'a\nmine\nb\n'), 0);
  });
});
