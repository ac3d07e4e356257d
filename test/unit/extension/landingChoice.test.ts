import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { landingChoices, type LandingDescription } from '../../../extension/src/commands/landingChoice.ts';

const described: LandingDescription = {
  default: 'accepted',
  accepted: { commit: 'a'.repeat(40), stats: { files: 1, insertions: 2, deletions: 0 } },
  all: { commit: 'b'.repeat(40), stats: { files: 3, insertions: 9, deletions: 4 } },
  base: 'c'.repeat(40),
  upstream: 'c'.repeat(40),
  pending: 5,
  pendingFiles: 2,
  conflicts: 0,
};

describe('the choice of what lands', () => {
  it('shows both with their counts, what was accepted first', () => {
    assert.deepEqual(
      landingChoices(described).map(({ from, description, detail }) => [from, description, detail]),
      [
        ['accepted', '1 file, +2 −0', 'Leaves out 5 changes in 2 files not reviewed'],
        ['all', '3 files, +9 −4', 'With 5 changes in 2 files not reviewed'],
      ],
    );
  });

  it('is none where nothing was accepted, or where all is decided', () => {
    assert.deepEqual(landingChoices({ ...described, default: 'all' }), []);
    assert.deepEqual(landingChoices({ ...described, pending: 0 }), []);
  });
});
