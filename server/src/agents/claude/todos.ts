import type { TodoChange } from '../../../../protocol/progress.ts';
import { fields, list, optionalText, text } from './streamJson.ts';

/* The list of things to do, out of the calls by which Claude Code keeps it: one list (TodoWrite) or one by one (Task…). */

const MAX_TEXT = 2000;
const MAX_TODOS = 500;

export interface TodoCall {
  name: string;
  input: Record<string, unknown>;
}

export function keepsTodos(name: string): boolean {
  return name === 'TodoWrite' || name === 'TaskCreate' || name === 'TaskUpdate' || name === 'TaskList';
}

/**
 * What a call that went well did to the list; undefined when it did nothing.
 * @param details the structured result of the call
 */
export function todoChanges(
  { name, input }: TodoCall,
  details: unknown,
): { changes: TodoChange[]; replaces: boolean } | undefined {
  switch (name) {
    case 'TodoWrite':
      return {
        changes: list(input['todos'])
          .slice(0, MAX_TODOS)
          .map((todo, index) => ({
            id: String(index + 1),
            ...texts(todo['content'], todo['activeForm']),
            ...statusOf(todo['status']),
          })),
        replaces: true,
      };
    case 'TaskCreate': {
      const id = idOf(fields(fields(details)['task'])['id']);
      return id === ''
        ? undefined
        : { changes: [{ id, ...texts(input['subject'], input['activeForm']), status: 'pending' }], replaces: false };
    }
    case 'TaskUpdate': {
      const id = idOf(input['taskId']);
      const change = { ...texts(input['subject'], input['activeForm']), ...statusOf(input['status']) };
      return id === '' || Object.keys(change).length === 0
        ? undefined
        : { changes: [{ id, ...change }], replaces: false };
    }
    case 'TaskList': {
      const { tasks } = fields(details);
      return Array.isArray(tasks)
        ? {
            changes: list(tasks)
              .slice(0, MAX_TODOS)
              .map(task => ({
                id: idOf(task['id']),
                ...texts(task['subject'], undefined),
                ...statusOf(task['status']),
              })),
            replaces: false,
          }
        : undefined;
    }
    default:
      return undefined;
  }
}

function idOf(value: unknown): string {
  return text(value).slice(0, 200);
}

function texts(subject: unknown, activeForm: unknown): { text?: string; doing?: string } {
  const said = optionalText(subject)?.slice(0, MAX_TEXT);
  const doing = optionalText(activeForm)?.slice(0, MAX_TEXT);
  return { ...(said === undefined ? {} : { text: said }), ...(doing === undefined ? {} : { doing }) };
}

function statusOf(status: unknown): { status?: NonNullable<TodoChange['status']> } {
  switch (status) {
    case 'pending':
      return { status: 'pending' };
    case 'in_progress':
      return { status: 'active' };
    case 'completed':
      return { status: 'done' };
    case 'deleted':
      return { status: 'removed' };
    default:
      return {};
  }
}
