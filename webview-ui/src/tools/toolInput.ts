import { isRecord } from '../../../protocol/isRecord.ts';
import { lineDiff, type DiffLine } from '../text/lineDiff.ts';
import { t } from '../../../protocol/text.ts';

/** How the input of a tool call is shown: as what it does, not as JSON, where the tool is known. */
export type ToolInput =
  | { kind: 'command'; command: string; note?: string }
  | { kind: 'diff'; path: string; parts: DiffLine[][]; note?: string }
  | { kind: 'file'; path: string; note?: string }
  | { kind: 'fields'; fields: { name: string; value: string }[] }
  | { kind: 'markdown'; text: string; note?: string }
  | { kind: 'todos'; todos: { text: string; status: string }[] }
  | { kind: 'text'; text: string }
  | { kind: 'none' };

/** @param json the input as the agent gave it; text that is not JSON (a cut preview) is shown as it is */
export function describeToolInput(name: string, json: string): ToolInput {
  const input = parse(json);
  if (!isRecord(input)) {
    return json.trim() === '' ? { kind: 'none' } : { kind: 'text', text: json };
  }
  return describers[name]?.(input) ?? generic(input);
}

type Describer = (input: Record<string, unknown>) => ToolInput | undefined;

const describers: Record<string, Describer> = {
  Bash: input => {
    const command = text(input, 'command');
    const note = text(input, 'description');
    return command === undefined ? undefined : { kind: 'command', command, ...(note === undefined ? {} : { note }) };
  },
  Edit: input => {
    const path = text(input, 'file_path');
    const edit = toDiff(input);
    const note = input['replace_all'] === true ? t('Every occurrence') : undefined;
    return path === undefined || !edit
      ? undefined
      : { kind: 'diff', path, parts: [edit], ...(note === undefined ? {} : { note }) };
  },
  MultiEdit: input => {
    const path = text(input, 'file_path');
    const edits = Array.isArray(input['edits']) ? input['edits'].filter(isRecord) : [];
    const parts = edits.map(toDiff).filter(part => part !== undefined);
    return path === undefined || parts.length !== edits.length ? undefined : { kind: 'diff', path, parts };
  },
  Write: input => {
    const path = text(input, 'file_path');
    const content = text(input, 'content');
    return path === undefined || content === undefined
      ? undefined
      : { kind: 'diff', path, parts: [lineDiff('', content)], note: t('The whole file is written') };
  },
  Read: input => {
    const path = text(input, 'file_path');
    const range = [input['offset'], input['limit']];
    return path === undefined
      ? undefined
      : { kind: 'file', path, ...(range.some(isNumber) ? { note: lineRange(range[0], range[1]) } : {}) };
  },
  ExitPlanMode: input => {
    const plan = text(input, 'plan');
    return plan === undefined ? undefined : { kind: 'markdown', text: plan };
  },
  Task: task,
  Agent: task,
  TodoWrite: input => {
    const todos = Array.isArray(input['todos']) ? input['todos'].filter(isRecord) : [];
    return {
      kind: 'todos',
      todos: todos.map(todo => ({ text: text(todo, 'content') ?? '', status: text(todo, 'status') ?? 'pending' })),
    };
  },
};

function task(input: Record<string, unknown>): ToolInput | undefined {
  const prompt = text(input, 'prompt');
  const note = text(input, 'subagent_type');
  return prompt === undefined ? undefined : { kind: 'markdown', text: prompt, ...(note === undefined ? {} : { note }) };
}

function generic(input: Record<string, unknown>): ToolInput {
  const fields = Object.entries(input).map(([name, value]) => ({
    name,
    value: typeof value === 'string' ? value : JSON.stringify(value, null, 2),
  }));
  return fields.length === 0 ? { kind: 'none' } : { kind: 'fields', fields };
}

function toDiff(edit: Record<string, unknown>): DiffLine[] | undefined {
  const before = text(edit, 'old_string');
  const after = text(edit, 'new_string');
  return before === undefined || after === undefined ? undefined : lineDiff(before, after);
}

function lineRange(offset: unknown, limit: unknown): string {
  const first = isNumber(offset) ? offset : 1;
  return isNumber(limit) ? t('Lines {0} to {1}', first, first + limit - 1) : t('From line {0}', first);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function text(record: Record<string, unknown>, name: string): string | undefined {
  const value = record[name];
  return typeof value === 'string' ? value : undefined;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
