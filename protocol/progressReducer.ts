import type { ItemEditor } from './itemEditor.ts';
import type { Todo, TodoChange } from './progress.ts';
import type { Handlers } from './reducerParts.ts';
import type { ToolItem } from './session.ts';

/* The part of the reducer that follows what the agent says of its own work. */

const MAX_TODOS = 500;

type ProgressEvent = 'todosChanged' | 'taskStarted' | 'taskFinished' | 'contextMeasured';

export const progressHandlers: Handlers<ProgressEvent> = {
  todosChanged: (state, { changes, replaces }) => ({
    todos: changes.reduce<Todo[]>(withChange, replaces ? [] : (state.todos ?? [])).slice(-MAX_TODOS),
  }),
  taskStarted: (_state, { toolId }, { at, items }) => {
    changeTool(items, toolId, item => ({ ...item, task: { state: 'running', since: at } }));
    return {};
  },
  taskFinished: (_state, { toolId, outcome, tokens, toolUses }, { at, items }) => {
    changeTool(items, toolId, item => ({
      ...item,
      task: {
        state: outcome,
        since: item.task?.since ?? item.at,
        finishedAt: at,
        ...(tokens === undefined ? {} : { tokens }),
        ...(toolUses === undefined ? {} : { toolUses }),
      },
    }));
    return {};
  },
  contextMeasured: (state, { tokens, window = state.context?.window }) => ({
    context: { tokens, ...(window === undefined ? {} : { window }) },
  }),
};

/** With the agent's process everything goes that it did in the background. */
export function endTasks(items: ItemEditor, at: number): void {
  items.change(item =>
    item.kind === 'tool' && item.task?.state === 'running'
      ? { ...item, task: { ...item.task, state: 'stopped', finishedAt: at } }
      : undefined,
  );
}

function changeTool(items: ItemEditor, toolId: string, change: (item: ToolItem) => ToolItem): void {
  items.changeLast(item => (item.kind === 'tool' && item.id === toolId ? change(item) : undefined));
}

function withChange(todos: Todo[], { id, text, doing, status }: TodoChange): Todo[] {
  const known = todos.find(todo => todo.id === id);
  const others = todos.filter(todo => todo !== known);
  const said = text ?? known?.text;
  if (status === 'removed' || said === undefined) {
    return others;
  }
  const named = doing ?? known?.doing;
  const todo: Todo = {
    id,
    text: said,
    status: status ?? known?.status ?? 'pending',
    ...(named === undefined ? {} : { doing: named }),
  };
  return known ? todos.map(other => (other === known ? todo : other)) : [...others, todo];
}
