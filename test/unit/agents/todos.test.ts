import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { todoChanges } from '../../../server/src/agents/claude/todos.ts';
import { SessionLog } from '../../support/sessionLog.ts';

describe('things to do', () => {
  it('come all at once from TodoWrite', () => {
    const input = {
      todos: [
        { content: 'Read', activeForm: 'Reading', status: 'completed' },
        { content: 'Write', activeForm: 'Writing', status: 'in_progress' },
        { content: 'Test', status: 'pending' },
      ],
    };
    assert.deepEqual(todoChanges({ name: 'TodoWrite', input }, undefined), {
      changes: [
        { id: '1', text: 'Read', doing: 'Reading', status: 'done' },
        { id: '2', text: 'Write', doing: 'Writing', status: 'active' },
        { id: '3', text: 'Test', status: 'pending' },
      ],
      replaces: true,
    });
  });

  it('are left alone by calls of another form', () => {
    for (const input of [{}, { taskId: 3, status: [] }, { todos: 'x' }, { taskId: '1', status: 'flying' }]) {
      for (const name of ['TaskCreate', 'TaskUpdate', 'TaskList', 'Bash']) {
        assert.equal(todoChanges({ name, input }, { task: { id: 7 }, tasks: 'x' }), undefined);
      }
    }
  });

  it('change one by one in the session, and all of them at once', () => {
    const log = new SessionLog();
    log.add(
      {
        type: 'todosChanged',
        changes: [
          { id: 'a', text: 'A' },
          { id: 'b', text: 'B', status: 'active' },
        ],
        replaces: false,
      },
      { type: 'todosChanged', changes: [{ id: 'a', doing: 'At A', status: 'done' }, { id: 'gone' }], replaces: false },
    );
    assert.deepEqual(log.state.todos, [
      { id: 'a', text: 'A', status: 'done', doing: 'At A' },
      { id: 'b', text: 'B', status: 'active' },
    ]);
    log.add({ type: 'todosChanged', changes: [{ id: 'b', status: 'removed' }], replaces: false });
    assert.deepEqual(
      log.state.todos?.map(({ id }) => id),
      ['a'],
    );
    log.add({ type: 'todosChanged', changes: [{ id: 'x', text: 'X' }], replaces: true });
    assert.deepEqual(log.state.todos, [{ id: 'x', text: 'X', status: 'pending' }]);
  });
});
