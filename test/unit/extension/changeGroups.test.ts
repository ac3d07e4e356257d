import assert from 'node:assert/strict';
import { groupByTool, groupByTurn } from '../../../extension/src/review/changeGroups.ts';
import type { PendingFile } from '../../../extension/src/review/pendingChanges.ts';
import { progressText } from '../../../protocol/progressText.ts';
import type { Item, ToolItem } from '../../../protocol/session.ts';

function file(path: string, patch: Partial<PendingFile> = {}): PendingFile {
  return {
    path,
    status: 'modified',
    binary: false,
    insertions: 1,
    deletions: 1,
    mode: '100644',
    oldMode: '100644',
    hunks: [],
    ...patch,
  };
}

function tool(id: string, name: string, input: string, state: ToolItem['state'] = 'ok'): Item {
  return { kind: 'tool', id, at: 0, turn: 2, name, title: name, input: { text: input }, state };
}

const files = [file('src/a.ts'), file('b.ts', { status: 'renamed', oldPath: 'old.ts' }), file('mine.ts')];
const shape = (groups: ReturnType<typeof groupByTurn>) =>
  groups.map(({ label, files: of }) => [label, ...of.map(({ path }) => path)]);

describe('what is pending, by turn', () => {
  it('stands under every turn that changed it, newest first, and apart when none did', () => {
    const turn = (number: number, ...paths: string[]) => ({ number, prompt: 'Do\nit', paths: new Set(paths) });
    const groups = groupByTurn(files, [turn(1, 'src/a.ts', 'gone.ts'), turn(2, 'old.ts', 'b.ts'), turn(3, 'src/a.ts')]);
    assert.deepEqual(shape(groups), [
      ['Turn 3', 'src/a.ts'],
      ['Turn 2', 'b.ts'],
      ['Turn 1', 'src/a.ts'],
      ['In no turn', 'mine.ts'],
    ]);
    assert.equal(groups[0]?.description, 'Do');
  });
});

describe('what is pending, by tool call', () => {
  it('stands under each call that named it and went well; nothing is guessed for the others', () => {
    const items = [
      tool('1', 'Edit', '{"file_path":"/clone/src/a.ts"}'),
      tool('2', 'Write', '{"file_path":"/clone/b.ts"}', 'failed'),
      tool('3', 'Bash', '{"command":"rm b.ts","file_path":"b.ts"}'),
      tool('4', 'Write', '{"file_path":"/clone/b.ts","content":"cut he'),
      tool('5', 'Write', '{"file_path":"/clone/decided.ts"}'),
      tool('6', 'MultiEdit', '{"file_path":"C:\\\\clone\\\\src\\\\a.ts"}'),
    ];
    assert.deepEqual(shape(groupByTool(files, items)), [
      ['Edit src/a.ts', 'src/a.ts'],
      ['MultiEdit src/a.ts', 'src/a.ts'],
      ['By no file tool', 'b.ts', 'mine.ts'],
    ]);
  });
});

describe('how far a review is', () => {
  it('is said as decisions taken of all, and not at all where there were none', () => {
    assert.equal(progressText({ pending: 4, reviewed: 37 }), '37 of 41 reviewed');
    assert.equal(progressText({ pending: 0, reviewed: 2 }), '2 of 2 reviewed');
    assert.equal(progressText({ pending: 0, reviewed: 0 }), undefined);
  });
});
