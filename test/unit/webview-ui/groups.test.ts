import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Item, ToolItem } from '../../../protocol/session.ts';
import { entryOf, grouped, groupText, type Entry } from '../../../webview-ui/src/state/groups.ts';
import { toRows } from '../../../webview-ui/src/state/transcript.ts';

const tool = (id: string, name: string, more: Partial<ToolItem> = {}): ToolItem => ({
  kind: 'tool',
  id,
  at: 0,
  turn: 1,
  name,
  title: id,
  input: { text: '{}' },
  state: 'ok',
  ...more,
});
const text = (id: string, kind: 'text' | 'thinking' = 'text'): Item => ({
  kind,
  id,
  at: 0,
  turn: 1,
  text: { text: id },
});

function shape(items: readonly Item[], focus: boolean): (string | string[])[] {
  return grouped(toRows(items), focus).map(entry =>
    entry.kind === 'row' ? entry.id : entry.rows.map(({ item }) => item.id),
  );
}

describe('groups of steps', () => {
  it('fold what was only looked at, from three in a row on', () => {
    const items = [text('a'), tool('r1', 'Read'), text('th', 'thinking'), tool('g', 'Grep'), tool('e', 'Edit')];
    assert.deepEqual(shape([...items, tool('r2', 'Read')], false), ['a', ['r1', 'th', 'g'], 'e', 'r2']);
  });

  it('leave alone what runs, failed, waits or has steps of its own', () => {
    const items = [
      tool('r1', 'Read', { state: 'running' }),
      tool('r2', 'Read', { state: 'failed' }),
      tool('r3', 'Read', { state: 'waiting' }),
      tool('r4', 'Read'),
      tool('step', 'Read', { parentToolId: 'r4' }),
    ];
    assert.deepEqual(shape(items, false), ['r1', 'r2', 'r3', 'r4']);
  });

  it('fold each keeping of the list, which stands elsewhere', () => {
    assert.deepEqual(shape([text('a'), tool('t', 'TaskUpdate'), text('b')], false), ['a', ['t'], 'b']);
  });

  it('hold everything between the words in focus mode, but what a person must see', () => {
    const items = [
      text('a'),
      tool('e', 'Edit'),
      tool('b', 'Bash', { state: 'running' }),
      tool('plan', 'ExitPlanMode'),
      tool('bad', 'Bash', { state: 'failed' }),
      tool('sub', 'Agent', { task: { state: 'running', since: 0 } }),
      tool('sub2', 'Agent', { task: { state: 'ok', since: 0 } }),
      text('c'),
    ];
    assert.deepEqual(shape(items, true), ['a', ['e', 'b'], 'plan', 'bad', 'sub', ['sub2'], 'c']);
  });

  it('say what was done', () => {
    const rows = toRows([
      tool('1', 'Read'),
      tool('2', 'Read'),
      tool('3', 'Bash'),
      tool('4', 'mcp__x'),
      text('5', 'thinking'),
    ]);
    assert.equal(groupText(rows), 'Read 2 files, ran 1 command, used 1 other tool, thought 1 time');
  });

  it('keep their name while they grow, and are found by what is in them', () => {
    const items = [tool('1', 'Read'), tool('2', 'Read'), tool('3', 'Read')];
    const first = grouped(toRows(items), false);
    const more = grouped(toRows([...items, tool('4', 'Grep')]), false);
    const id = ([entry]: readonly Entry[]): string | undefined => entry?.id;
    assert.equal(id(first), id(more));
    assert.equal(entryOf(more, '4'), 0);
    assert.equal(entryOf(more, 'x'), -1);
  });
});
