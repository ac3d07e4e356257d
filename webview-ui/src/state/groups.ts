import type { Item, ToolItem } from '../../../protocol/session.ts';
import type { Row } from './transcript.ts';
import { count, t } from '../../../protocol/text.ts';

/** What stands in the list: a row, or several that are folded into one line. */
export type Entry = { kind: 'row'; id: string; row: Row } | { kind: 'group'; id: string; rows: readonly Row[] };

/** Fewer steps than this in a row are shown as they are. */
const MIN_GROUP = 3;

type Doing = 'read' | 'search' | 'web' | 'list' | 'edit' | 'command' | 'agent';

const DOING: Readonly<Record<string, Doing>> = {
  Read: 'read',
  NotebookRead: 'read',
  Grep: 'search',
  Glob: 'search',
  LS: 'search',
  ToolSearch: 'search',
  WebFetch: 'web',
  WebSearch: 'web',
  TodoWrite: 'list',
  TaskCreate: 'list',
  TaskUpdate: 'list',
  TaskList: 'list',
  TaskGet: 'list',
  Edit: 'edit',
  MultiEdit: 'edit',
  Write: 'edit',
  NotebookEdit: 'edit',
  Bash: 'command',
  BashOutput: 'command',
  KillShell: 'command',
  Task: 'agent',
  Agent: 'agent',
};

/** These change nothing and are read by nobody once they are done. */
const QUIET: ReadonlySet<Doing | undefined> = new Set<Doing>(['read', 'search', 'web', 'list']);
/** A person has decided here, or was asked. */
const LOUD: ReadonlySet<string> = new Set(['ExitPlanMode', 'AskUserQuestion']);

/**
 * Folds runs of steps that a reader rarely wants to see one by one.
 * @param focus folds everything between the words of the agent and of the person, but what failed or needs a person
 */
export function grouped(rows: readonly Row[], focus: boolean): Entry[] {
  const entries: Entry[] = [];
  let run: Row[] = [];
  const flush = (): void => {
    const first = run[0];
    if (first && (focus || run.length >= MIN_GROUP || run.every(isList))) {
      entries.push({ kind: 'group', id: `group:${first.item.id}`, rows: run });
    } else {
      entries.push(...run.map(toEntry));
    }
    run = [];
  };
  for (const row of rows) {
    if (focus ? isWork(row) : isQuiet(row)) {
      run.push(row);
    } else {
      flush();
      entries.push(toEntry(row));
    }
  }
  flush();
  return entries;
}

/** What was done, in words: "Read 3 files, ran 1 command". */
export function groupText(rows: readonly Row[]): string {
  const counts = new Map<Doing | 'other' | 'thought', number>();
  for (const { item } of rows) {
    const doing =
      item.kind === 'tool' ? (DOING[item.name] ?? 'other') : item.kind === 'thinking' ? 'thought' : undefined;
    if (doing !== undefined) {
      counts.set(doing, (counts.get(doing) ?? 0) + 1);
    }
  }
  const parts = [...counts].map(([doing, times]) => words[doing](times));
  const text = parts.length > 0 ? parts.join(', ') : count(rows.length, 'note');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const words: Record<Doing | 'other' | 'thought', (times: number) => string> = {
  read: times => t('read {0}', count(times, 'file')),
  search: times => t('searched {0}', count(times, 'time')),
  web: times => t('looked at the web {0}', count(times, 'time')),
  list: () => t('kept its list of things to do'),
  edit: times => t('edited {0}', count(times, 'time')),
  command: times => t('ran {0}', count(times, 'command')),
  agent: times => t('asked {0}', count(times, 'subagent')),
  other: times => t('used {0}', count(times, 'other tool')),
  thought: times => t('thought {0}', count(times, 'time')),
};

/** The index of the entry in which an item stands, itself or below; -1 when it is in none. */
export function entryOf(entries: readonly Entry[], rowId: string): number {
  return entries.findIndex(entry =>
    entry.kind === 'row' ? entry.id === rowId : entry.rows.some(({ item }) => item.id === rowId),
  );
}

function toEntry(row: Row): Entry {
  return { kind: 'row', id: row.item.id, row };
}

function isQuiet({ item, children }: Row): boolean {
  if (item.kind === 'thinking') {
    return true;
  }
  return item.kind === 'tool' && item.state === 'ok' && children.length === 0 && QUIET.has(DOING[item.name]);
}

function isWork({ item }: Row): boolean {
  switch (item.kind) {
    case 'thinking':
      return true;
    case 'tool':
      return (item.state === 'ok' || item.state === 'running') && !LOUD.has(item.name) && !isGoingOn(item);
    case 'notice':
      return item.level === 'info';
    default:
      return false;
  }
}

function isGoingOn({ task }: ToolItem): boolean {
  return task?.state === 'running' || task?.state === 'failed';
}

function isList({ item }: { item: Item }): boolean {
  return item.kind === 'tool' && DOING[item.name] === 'list';
}
