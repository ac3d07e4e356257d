import assert from 'node:assert/strict';
import { blamedRange, lineOfTool } from '../../../extension/src/review/toolLines.ts';
import type { Blamed } from '../../../protocol/blame.ts';

describe('the lines of a tool call', () => {
  const run = (start: number, ids: string[], certain: boolean): Blamed => ({
    start,
    count: 1,
    accepted: false,
    origin: {
      kind: 'turn',
      turn: 1,
      startedAt: 0,
      prompt: '',
      costUsd: 0,
      tools: ids.map(id => ({ id, name: 'Edit', title: '' })),
      certain,
    },
  });
  const base: Blamed = { start: 0, count: 3, accepted: true, origin: { kind: 'base' } };

  it('are first those that are certainly its own', () => {
    const lines = [base, run(3, ['a', 'b'], false), run(9, ['b'], true), run(12, ['b'], true)];
    assert.deepEqual(
      ['a', 'b', 'c'].map(id => lineOfTool(lines, id)),
      [3, 9, undefined],
    );
  });

  it('are looked for from the first pending change to the last', () => {
    const hunks = [
      { newStart: 4, newCount: 2 },
      { newStart: 20, newCount: 0 },
    ];
    assert.deepEqual(blamedRange(hunks), { start: 4, count: 16 });
    assert.deepEqual(blamedRange([{ newStart: 0, newCount: 90_000 }]), { start: 0, count: 5000 });
    assert.deepEqual(blamedRange([]), { start: 0, count: 5000 });
  });
});
