import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { missingFrom, renamed } from '../../support/wireShape.ts';

describe('what a reader of a recording misses', () => {
  const missing = (recorded: unknown, now: unknown): string[] => missingFrom(recorded, now, new Map());

  it('is nothing where only more came, other values or another order of kinds', () => {
    const recorded = { seq: 3, items: [{ kind: 'text', text: 'a' }, { kind: 'tool' }], by: null };
    const now = {
      seq: 9,
      items: [{ kind: 'tool', more: 1 }, { kind: 'newer' }, { kind: 'text', text: 'b' }],
      by: 'me',
    };
    assert.deepEqual(missing(recorded, now), []);
  });

  it('is a field that is gone or of another type, a variant that changed, a kind of which there is none', () => {
    assert.deepEqual(missing({ a: { b: 1 } }, { a: {} }), ['$.a.b is missing']);
    assert.deepEqual(missing({ a: 1 }, { a: '1' }), ['$.a is a string, was a number']);
    assert.deepEqual(missing({ phase: { kind: 'idle' } }, { phase: { kind: 'working' } }), [
      '$.phase is working, was idle',
    ]);
    assert.deepEqual(missing([{ body: { type: 'x' } }, 1], [2]), ['$[x] is missing']);
  });

  it('does not mind other names, and learns them', () => {
    const names = new Map<string, string>();
    missingFrom({ id: 'ses_one_recorded', n: 1 }, { id: 'ses_another_one', n: 2 }, names);
    assert.deepEqual(renamed({ of: ['ses_one_recorded'], n: 1 }, names), { of: ['ses_another_one'], n: 1 });
  });
});
