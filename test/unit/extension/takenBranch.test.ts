import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { takenBranch } from '../../../extension/src/commands/takenBranch.ts';
import { SandpiperError } from '../../../protocol/errors.ts';

describe('a branch with commits of others', () => {
  it('is what the relay says of it, and no other failure', () => {
    const details = { branch: 'x', suggestedBranch: 'x-2', mayKeepTheirs: true };
    assert.deepEqual(takenBranch(new SandpiperError('conflict', 'Taken.', { details })), details);
    const merged = { branch: 'x', suggestedBranch: 'x-2', mayKeepTheirs: 'perhaps' };
    assert.equal(takenBranch(new SandpiperError('conflict', 'Taken.', { details: merged }))?.mayKeepTheirs, false);
    assert.equal(takenBranch(new SandpiperError('conflict', 'Archived.')), undefined);
    assert.equal(takenBranch(new SandpiperError('stale', 'Another.', { details })), undefined);
    assert.equal(takenBranch(new Error('x')), undefined);
  });
});
