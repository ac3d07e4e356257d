import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  decideGroup,
  groupRows,
  groupSize,
  prepareAppend,
  type StoredFacts,
} from '../../../server/src/store/sqlite/groupCommit.ts';
import { sampleAppend, sampleCall, sessionId, T0 } from '../../support/storeSamples.ts';

const A = sessionId(1);
const B = sessionId(2);
const EMPTY: StoredFacts = { lastSeqs: new Map(), recordedKeys: new Set(), ownerEpoch: 1 };

function prepared(...parameters: Parameters<typeof sampleAppend>) {
  return prepareAppend(sampleAppend(...parameters));
}

describe('groupCommit', () => {
  it('accepts a chain of appends of one session within a group', () => {
    const group = [prepared(A, 2, ['x', 'y']), prepared(B, 0, ['x']), prepared(A, 4, ['z'])];
    const verdicts = decideGroup(group, { ...EMPTY, lastSeqs: new Map([[A, 2]]) }, 1);
    assert.deepEqual(
      verdicts.map(verdict => verdict.kind),
      ['accepted', 'accepted', 'accepted'],
    );
  });

  it('refuses what builds on a refused append, and nothing else', () => {
    const group = [
      prepared(A, 0, ['x'], { call: sampleCall('known') }),
      prepared(A, 1, ['y']),
      prepared(B, 0, ['x']),
      prepared(A, 0, ['z']),
    ];
    const verdicts = decideGroup(group, { ...EMPTY, recordedKeys: new Set(['known']) }, 1);
    assert.deepEqual(
      verdicts.map(verdict => verdict.kind),
      ['refused', 'refused', 'accepted', 'accepted'],
    );
  });

  it('refuses the whole group of a writer that is not the owner', () => {
    const group = [prepared(A, 0, ['x']), prepared(B, 0, ['x'])];
    for (const [ownerEpoch, epoch] of [
      [2, 1],
      [2, undefined],
      [undefined, 2],
    ]) {
      const verdicts = decideGroup(group, { ...EMPTY, ownerEpoch }, epoch);
      assert.deepEqual(
        verdicts.map(verdict => verdict.kind === 'refused' && verdict.error.code),
        ['fenced', 'fenced'],
      );
    }
    const free = decideGroup(group, { ...EMPTY, ownerEpoch: undefined }, undefined);
    assert.ok(free.every(verdict => verdict.kind === 'accepted'));
  });

  it('never makes a gap, whatever comes', () => {
    const append = fc.record({ session: fc.nat(2), expectedSeq: fc.nat(6), events: fc.nat(3), key: fc.nat(4) });
    fc.assert(
      fc.property(fc.array(append, { maxLength: 30 }), steps => {
        const group = steps.map(({ session, expectedSeq, events, key }) =>
          prepared(
            sessionId(session),
            expectedSeq,
            Array<string>(events).fill('x'),
            key === 0 ? {} : { call: sampleCall(`key ${key}`) },
          ),
        );
        const verdicts = decideGroup(group, EMPTY, 1);
        const rows = groupRows(
          group.filter((_, index) => verdicts[index]?.kind === 'accepted'),
          T0,
        );
        for (const row of rows.sessions) {
          const seqs = rows.events.filter(event => event[0] === row[0]).map(event => event[1]);
          assert.deepEqual(
            seqs,
            seqs.map((_, index) => index + 1),
          );
          assert.equal(row[1], seqs.length);
        }
        assert.equal(new Set(rows.calls.map(call => call[0])).size, rows.calls.length);
      }),
    );
  });

  it('makes one row of a session, with the newest of each part', () => {
    const journal = { segment: 1, offset: 5, decoder: '{}' };
    const rows = groupRows([prepared(A, 0, ['x'], { runtime: '1', journal }), prepared(A, 1, ['y'])], T0);
    assert.equal(rows.sessions.length, 1);
    assert.deepEqual(rows.sessions[0]?.slice(5), ['1', 1, 5, '{}']);
    assert.equal(rows.sessions[0]?.[1], 2);
  });

  it('bounds a group by count and by size, and always takes one', () => {
    const group = Array.from({ length: 10 }, () => prepared(A, 0, ['x'.repeat(1000)]));
    const { characters } = prepared(A, 0, ['x'.repeat(1000)]);
    assert(characters > 1000);
    assert.equal(groupSize(group, { appends: 4, characters: 1e9 }), 4);
    assert.equal(groupSize(group, { appends: 100, characters: 3 * characters }), 3);
    assert.equal(groupSize(group, { appends: 100, characters: 1 }), 1);
    assert.equal(groupSize([], { appends: 100, characters: 1 }), 0);
  });

  it('does not see what a caller changes after it has queued an append', () => {
    const inputs = [{ segment: 1, number: 1, line: 'before' }];
    const append = prepareAppend(sampleAppend(A, 0, ['x'], { inputs }));
    inputs[0] = { segment: 1, number: 1, line: 'after' };
    assert.equal(append.inputs[0]?.line, 'before');
  });
});
