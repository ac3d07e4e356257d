import type { Item } from '../../../protocol/session.ts';
import { findChange } from './changeEntries.ts';
import type { PendingFile } from './pendingChanges.ts';
import { t } from '../../../protocol/text.ts';

/* The pending files by what made them. Only what the log and the checkpoints say; what they do not say is named so. */

export const GROUPINGS = ['file', 'turn', 'tool'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface ChangeGroup {
  id: string;
  label: string;
  description: string;
  icon: string;
  files: PendingFile[];
}

/** What a turn changed, as its two checkpoints differ. */
export interface TurnChanges {
  number: number;
  prompt: string;
  paths: ReadonlySet<string>;
}

const FILE_TOOLS: ReadonlySet<string> = new Set(['Edit', 'MultiEdit', 'Write', 'NotebookEdit']);
const MAX_LABEL = 60;

/** A file stands under every turn that changed it, the newest turn first. */
export function groupByTurn(files: readonly PendingFile[], turns: readonly TurnChanges[]): ChangeGroup[] {
  const groups = turns.toReversed().map(({ number, prompt, paths }) => ({
    id: `turn:${number}`,
    label: t('Turn {0}', number),
    description: oneLine(prompt),
    icon: 'comment-discussion',
    files: files.filter(({ path, oldPath }) => paths.has(path) || (oldPath !== undefined && paths.has(oldPath))),
  }));
  return withRest(files, groups, t('In no turn'), t('a reviewer’s own edits'));
}

/** A file stands under every call of a file tool that named it, in the order of the calls. */
export function groupByTool(files: readonly PendingFile[], items: readonly Item[]): ChangeGroup[] {
  const groups = items.flatMap((item): ChangeGroup[] => {
    const path = item.kind === 'tool' && item.state === 'ok' ? editedPath(item.name, item.input.text) : undefined;
    const file = path === undefined ? undefined : findChange(files, path);
    return item.kind === 'tool' && file
      ? [
          {
            id: `tool:${item.id}`,
            label: `${item.name} ${file.path}`,
            description: t('turn {0}', item.turn),
            icon: 'tools',
            files: [file],
          },
        ]
      : [];
  });
  return withRest(files, groups, t('By no file tool'), t('by a command, or a reviewer’s own edits'));
}

function withRest(
  files: readonly PendingFile[],
  groups: readonly ChangeGroup[],
  label: string,
  description: string,
): ChangeGroup[] {
  const named = new Set(groups.flatMap(group => group.files.map(({ path }) => path)));
  const rest = { id: 'rest', label, description, icon: 'edit', files: files.filter(({ path }) => !named.has(path)) };
  return [...groups, rest].filter(group => group.files.length > 0);
}

/** The file that a call names; a long input is cut in the log and names none then. */
function editedPath(tool: string, input: string): string | undefined {
  if (!FILE_TOOLS.has(tool)) {
    return undefined;
  }
  try {
    const parsed: unknown = JSON.parse(input);
    const named = (name: string): unknown =>
      typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, name) : undefined;
    const path = named('file_path') ?? named('notebook_path');
    return typeof path === 'string' ? path : undefined;
  } catch {
    return undefined;
  }
}

function oneLine(text: string): string {
  const line = text.trim().split('\n')[0] ?? '';
  return line.length > MAX_LABEL ? `${line.slice(0, MAX_LABEL - 1)}…` : line;
}
