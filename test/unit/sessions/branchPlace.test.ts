import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { placeOfBranch, type BranchPlace } from '../../../server/src/sessions/branchPlace.ts';

const [A, B, C, D] = ['a', 'b', 'c', 'd'].map(letter => letter.repeat(40));
const on = (commit = '', branch = 'x', ours?: string) => ({ branch, commit, ...(ours === undefined ? {} : { ours }) });
const NOWHERE: BranchPlace = { ours: undefined, expectedRemote: undefined, joined: undefined, foreign: false };

describe('where a branch is', () => {
  it('is what the forge says, when one of our pushes put it there', () => {
    const at = (commit: string | undefined) => ({ ...NOWHERE, ours: commit, expectedRemote: commit });
    assert.deepEqual(placeOfBranch({}, 'x', undefined), NOWHERE);
    assert.deepEqual(placeOfBranch({ landed: on(A) }, 'x', A), at(A));
    assert.deepEqual(placeOfBranch({ landed: on(A), pushing: on(B) }, 'x', A), at(A));
    assert.deepEqual(placeOfBranch({ landed: on(A), pushing: on(B) }, 'x', B), at(B));
    assert.deepEqual(placeOfBranch({ pushing: on(B) }, 'x', B), at(B));
  });

  it('is nowhere when the push never arrived or the branch was removed', () => {
    assert.deepEqual(placeOfBranch({ pushing: on(A) }, 'x', undefined), NOWHERE);
    assert.deepEqual(placeOfBranch({ landed: on(A) }, 'x', undefined), { ...NOWHERE, ours: A });
    assert.deepEqual(placeOfBranch({ landed: on(A, 'x', D) }, 'x', undefined), { ...NOWHERE, ours: D });
  });

  it('is foreign when somebody else put it there', () => {
    const foreign = (ours: string | undefined) => ({ ours, expectedRemote: C, joined: C, foreign: true });
    assert.deepEqual(placeOfBranch({ landed: on(A), pushing: on(B) }, 'x', C), foreign(A));
    assert.deepEqual(placeOfBranch({}, 'x', C), foreign(undefined));
    assert.deepEqual(placeOfBranch({ landed: on(A, 'other') }, 'x', C), foreign(undefined));
  });

  it('is a merge of ours with theirs, whose next is joined with both', () => {
    const merged = { ours: D, expectedRemote: A, joined: A, foreign: false };
    assert.deepEqual(placeOfBranch({ landed: on(A, 'x', D) }, 'x', A), merged);
    assert.deepEqual(placeOfBranch({ landed: on(B), pushing: on(A, 'x', D) }, 'x', A), merged);
  });
});
