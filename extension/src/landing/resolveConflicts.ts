import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { ApplyRecord, ApplyRecords } from '../../../landing/applyRecord.ts';
import { REASONS, type ConflictReason } from '../../../landing/decide.ts';
import { markResolved, resolveConflict } from '../../../landing/resolveConflict.ts';
import { undecided } from '../../../landing/undecided.ts';
import type { UserFolder } from '../../../landing/userFolder.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { openFolders } from './landingFolder.ts';
import { OpenText } from './openText.ts';
import { mergedIn, type MergedConflict } from './mergeTab.ts';
import { count, t } from '../../../protocol/text.ts';

interface OpenMerge {
  folder: UserFolder;
  record: ApplyRecord;
  index: number;
}

/**
 * Lets a person decide what could not be merged. Text goes to the editor's own three-way merge editor, whose result is a file
 * of ours: the user's file changes once, when that editor is closed without a conflict left, and only if it is still the
 * same.
 */
export class ConflictResolver implements vscode.Disposable {
  readonly #records: ApplyRecords;
  readonly #resolved: () => void;
  readonly #tabs: vscode.Disposable;

  /** @param resolved is told when a merge was put into the user's file */
  constructor(records: ApplyRecords, resolved: () => void) {
    this.#records = records;
    this.#resolved = resolved;
    this.#tabs = vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
      for (const merged of closed.map(mergedIn)) {
        if (merged) {
          void this.#finish(merged);
        }
      }
    });
  }

  /** Asks which conflict, where there are several, and opens it. */
  async resolve(folder: UserFolder, about: ApplyRecord): Promise<void> {
    const record = (await this.#records.list(folder.root)).find(({ id }) => id === about.id) ?? about;
    const open = [...record.conflicts.entries()].filter(([, { resolved }]) => !resolved);
    const items = open.map(([index, { path, reason }]) => ({
      label: path,
      description: isReason(reason) ? REASONS[reason] : reason,
      index,
    }));
    const chosen =
      items.length > 1
        ? await vscode.window.showQuickPick(items, {
            title: t('Resolve Conflicts'),
            placeHolder: t('File to decide about'),
          })
        : items[0];
    if (chosen) {
      await this.#open({ folder, record, index: chosen.index });
    }
  }

  dispose(): void {
    this.#tabs.dispose();
  }

  async #open(merge: OpenMerge): Promise<void> {
    const { record, index } = merge;
    const [base, ours, theirs, marked] = (['base', 'ours', 'theirs', 'marked'] as const).map(part =>
      this.#records.conflictOf(record, index, part),
    );
    if (ours === undefined || theirs === undefined || marked === undefined) {
      await this.#choose(merge, theirs);
      return;
    }
    const result = this.#records.resultOf(record, index);
    await mkdir(dirname(result), { recursive: true });
    await copyFile(marked, result);
    // What Git's own extension opens for a conflict. Underscored, but open to every extension; without it there is the text.
    await vscode.commands
      .executeCommand('_open.mergeEditor', {
        base: vscode.Uri.file(base ?? ours),
        input1: { uri: vscode.Uri.file(ours), title: t('Yours'), description: t('as it was when you applied') },
        input2: { uri: vscode.Uri.file(theirs), title: t("The Agent's"), description: record.title },
        output: vscode.Uri.file(result),
      })
      .then(undefined, () => vscode.commands.executeCommand('vscode.open', vscode.Uri.file(result)));
  }

  /** No text on some side: one of the two. */
  async #choose(merge: OpenMerge, theirs: string | undefined): Promise<void> {
    const { record, index, folder } = merge;
    const conflict = record.conflicts[index];
    const keep = t('Keep Yours');
    const canTake =
      conflict !== undefined && ['bothChanged', 'bothAdded', 'youDeleted', 'agentDeleted'].includes(conflict.reason);
    const take = theirs === undefined ? t('Delete It, As the Agent Did') : t("Take the Agent's");
    const chosen = await vscode.window.showWarningMessage(
      `${conflict?.path ?? ''}: ${conflict && isReason(conflict.reason) ? REASONS[conflict.reason] : ''}.`,
      { modal: true, detail: canTake ? t('What you take can be undone.') : t('Change that, then apply again.') },
      keep,
      ...(canTake ? [take] : []),
    );
    if (chosen === keep) {
      await markResolved(this.#records, record, index);
    } else if (chosen === take) {
      const content = theirs === undefined ? undefined : { file: theirs };
      await resolveConflict(this.#records, folder, record, { index, content });
      this.#resolved();
    }
  }

  /** Saves and closes the merge editor that is open; the editor itself asks about conflicts that are left. */
  async complete(): Promise<void> {
    const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
    const merged = mergedIn(tab);
    if (!tab || !merged) {
      throw new SandpiperError('not_found', t('No merge of an apply is open.'), {
        hint: t('Open one with "Sandpiper: Resolve Conflicts of Apply…".'),
      });
    }
    const document = vscode.workspace.textDocuments.find(({ uri }) => uri.fsPath === merged.file);
    await document?.save();
    await vscode.window.tabGroups.close(tab);
  }

  /** After its editor was closed. */
  async #finish({ file, recordId, index }: MergedConflict): Promise<void> {
    const merge = await this.#find(recordId, index).catch(() => undefined);
    if (merge) {
      await this.#take(merge, file).catch((thrown: unknown) => this.#again(merge, toSandpiperError(thrown).message));
    }
  }

  async #find(recordId: string, index: number): Promise<OpenMerge | undefined> {
    for (const folder of await openFolders()) {
      const record = (await this.#records.list(folder.root)).find(({ id }) => id === recordId);
      if (record?.conflicts[index]?.resolved === false) {
        return { folder, record, index };
      }
    }
    return undefined;
  }

  /** Puts a merge into the user's file, when it is whole. */
  async #take(merge: OpenMerge, result: string): Promise<void> {
    const { folder, record, index } = merge;
    const { path = '', oursPath = '' } = record.conflicts[index] ?? {};
    const marked = this.#records.conflictOf(record, index, 'marked');
    const [bytes, before] = await Promise.all([readFile(result), marked ? readFile(marked) : Buffer.alloc(0)]);
    const left = undecided(before.toString('latin1'), bytes.toString('latin1'));
    if (left > 0) {
      return this.#again(
        merge,
        t('{0} has {1} that nobody decided. Your file is as it was.', path, count(left, 'conflict')),
      );
    }
    if (await new OpenText(folder.root, this.#records).isUnsaved(oursPath)) {
      return this.#again(merge, t('{0} has unsaved changes. Save or revert it, then resolve again.', oursPath));
    }
    await resolveConflict(this.#records, folder, record, { index, content: { bytes } });
    this.#resolved();
    void vscode.window.showInformationMessage(t('Merged {0}.', path), t('Undo')).then(async chosen => {
      if (chosen === t('Undo')) {
        await vscode.commands.executeCommand('sandpiper.undoApply');
      }
    });
  }

  #again({ folder, record }: OpenMerge, text: string): void {
    void vscode.window.showWarningMessage(text, t('Resolve Conflicts')).then(async chosen => {
      if (chosen !== undefined) {
        await this.resolve(folder, record);
      }
    });
  }
}

function isReason(text: string): text is ConflictReason {
  return Object.hasOwn(REASONS, text);
}
