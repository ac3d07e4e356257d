import * as vscode from 'vscode';
import { GROUP_LABELS } from '../../../protocol/sessionGroup.ts';
import { filterPart, parseFilter, STATE_WORDS } from '../../../protocol/sessionFilter.ts';
import type { ListFilter } from '../sessions/listFilter.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { count, t, told } from '../../../protocol/text.ts';

type Row = vscode.QuickPickItem & { add?: string; act?: 'done' | 'clear' };

/** Asks what the list shall show. The list follows what is typed; Escape puts the former filter back. */
export function filterSessions(store: SessionStore, filter: ListFilter): Promise<void> {
  const before = filter.text;
  const box = vscode.window.createQuickPick<Row>();
  box.title = t('Filter Sessions');
  box.placeholder = t('Words of the title, tag:name, repo:name, state:ready, is:pinned');
  box.value = before === '' ? '' : `${before} `;
  const draw = (): void => {
    box.items = rowsFor(store, filter, box.value);
  };
  let isAccepted = false;
  return new Promise(resolve => {
    const listening = store.onDidChange(draw);
    box.onDidChangeValue(value => {
      filter.set(value.trim());
      draw();
    });
    box.onDidAccept(() => {
      const [row] = box.activeItems;
      if (row?.add !== undefined) {
        box.value = `${withoutLastWord(box.value, row.add)}${row.add} `;
        filter.set(box.value.trim());
        draw();
        return;
      }
      isAccepted = true;
      if (row?.act === 'clear') {
        filter.set('');
      }
      box.hide();
    });
    box.onDidHide(() => {
      if (!isAccepted) {
        filter.set(before);
      }
      listening.dispose();
      box.dispose();
      resolve();
    });
    store.loadAll();
    draw();
    box.show();
  });
}

/** What is half typed is replaced by what was chosen for it. */
function withoutLastWord(value: string, added: string): string {
  const last = /\S+$/.exec(value)?.[0] ?? '';
  const kept = last !== '' && added.toLowerCase().includes(last.toLowerCase()) ? value.slice(0, -last.length) : value;
  return kept === '' || kept.endsWith(' ') ? kept : `${kept} `;
}

function rowsFor(store: SessionStore, filter: ListFilter, value: string): Row[] {
  const shown = store.summaries.filter(summary => filter.fits(summary));
  const { problems } = parseFilter(value);
  const used = new Set(value.toLowerCase().split(/\s+/));
  const last = /\S+$/.exec(value)?.[0]?.toLowerCase() ?? '';
  const parts: Row[] = [
    ...Object.entries(STATE_WORDS).map(([word, state]) => part('state', word, told(GROUP_LABELS[state]))),
    part('is', 'pinned', t('Pinned')),
    ...unique(store.summaries.flatMap(({ tags }) => tags ?? [])).map(tag => part('tag', tag, t('Tag'))),
    ...unique(store.summaries.map(({ repository }) => repository.name)).map(name =>
      part('repo', name, t('Repository')),
    ),
  ].filter(({ label }) => !used.has(label.toLowerCase()));
  const fitting = parts.filter(({ label }) => label.toLowerCase().includes(last));
  return [
    {
      label: filter.active
        ? `$(filter) ${t('Show {0}', count(shown.length, 'session'))}`
        : `$(list-flat) ${t('Show all sessions')}`,
      ...(problems[0] === undefined ? {} : { detail: problems[0] }),
      act: 'done',
      alwaysShow: true,
    },
    ...(filter.active
      ? [{ label: `$(clear-all) ${t('Clear the filter')}`, act: 'clear', alwaysShow: true } as const]
      : []),
    ...(fitting.length > 0 ? fitting : parts),
  ];
}

function part(name: 'tag' | 'repo' | 'state' | 'is', value: string, description: string): Row {
  const text = filterPart(name, value);
  return { label: text, description, add: text, alwaysShow: true };
}

function unique(names: string[]): string[] {
  return [...new Set(names)].sort((one, other) => one.localeCompare(other));
}
