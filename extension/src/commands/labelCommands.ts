import * as vscode from 'vscode';
import { changedTags, foldTag, MAX_TAGS, TAG } from '../../../protocol/tags.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { t } from '../../../protocol/text.ts';

/** Lets the person choose the tags of a session, and write new ones. */
export async function tagSession(actions: SessionActions, store: SessionStore, sessionId: string): Promise<void> {
  const before = store.get(sessionId)?.tags ?? [];
  const chosen = await askTags(
    store.get(sessionId)?.title ?? sessionId,
    before,
    store.summaries.flatMap(({ tags }) => tags ?? []),
  );
  if (!chosen) {
    return;
  }
  const kept = new Set(chosen.map(foldTag));
  const known = new Set(before.map(foldTag));
  const add = chosen.filter(tag => !known.has(foldTag(tag)));
  const remove = before.filter(tag => !kept.has(foldTag(tag)));
  if (add.length + remove.length > 0) {
    await actions.tag(sessionId, add, remove);
  }
}

/** @returns undefined when they chose nothing */
function askTags(title: string, own: readonly string[], all: readonly string[]): Promise<string[] | undefined> {
  const box = vscode.window.createQuickPick();
  box.title = t('Tags of {0}', title);
  box.placeholder = t('Choose tags, or type a new one: one word of letters, digits and . _ / -');
  box.canSelectMany = true;
  const names = changedTags(own, all, []);
  box.items = names.map(label => ({ label }));
  box.selectedItems = box.items.filter(({ label }) => own.includes(label));
  let written: string | undefined;
  return new Promise(resolve => {
    let chosen: string[] | undefined;
    box.onDidChangeValue(value => {
      const tag = value.trim();
      const isNew = TAG.test(tag) && !names.some(name => foldTag(name) === foldTag(tag));
      // Somebody who types to find a tag that there is does not want a new one beside it.
      const isMeant = isNew && !names.some(name => foldTag(name).includes(foldTag(tag)));
      const selected = new Set(box.selectedItems.map(({ label }) => label));
      const next = isNew ? tag : undefined;
      if (next === written) {
        return;
      }
      selected.delete(written ?? '');
      written = next;
      box.items = [...(next === undefined ? [] : [{ label: next, description: t('new tag') }]), ...rows(names)];
      box.selectedItems = box.items.filter(({ label }) => selected.has(label) || (isMeant && label === next));
    });
    box.onDidAccept(() => {
      chosen = box.selectedItems.map(({ label }) => label).slice(0, MAX_TAGS);
      box.hide();
    });
    box.onDidHide(() => {
      box.dispose();
      resolve(chosen);
    });
    box.show();
  });
}

function rows(names: readonly string[]): vscode.QuickPickItem[] {
  return names.map(label => ({ label }));
}
