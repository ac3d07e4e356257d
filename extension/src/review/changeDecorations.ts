import * as vscode from 'vscode';
import { DisposableStore } from '../disposables.ts';
import { SCHEME } from '../manifest.ts';
import { wholeFileText } from './hunkLenses.ts';
import type { PendingChanges, PendingFile } from './pendingChanges.ts';
import { fileOfUri, fileUri } from './reviewUris.ts';
import { t, told } from '../../../protocol/text.ts';

const LOOKS: Record<PendingFile['status'], { badge: string; color: string }> = {
  added: { badge: 'A', color: 'gitDecoration.addedResourceForeground' },
  modified: { badge: 'M', color: 'gitDecoration.modifiedResourceForeground' },
  deleted: { badge: 'D', color: 'gitDecoration.deletedResourceForeground' },
  renamed: { badge: 'R', color: 'gitDecoration.renamedResourceForeground' },
  typeChanged: { badge: 'T', color: 'gitDecoration.modifiedResourceForeground' },
};

/** Letters and colours of pending files, in the tree, in tabs and in the headers of a diff of many files. */
export class ChangeDecorations implements vscode.FileDecorationProvider, vscode.Disposable {
  readonly #pending: PendingChanges;
  readonly #disposables = new DisposableStore();
  readonly #changed = this.#disposables.add(new vscode.EventEmitter<vscode.Uri[]>());

  readonly onDidChangeFileDecorations = this.#changed.event;

  constructor(pending: PendingChanges) {
    this.#pending = pending;
    this.#disposables.add(vscode.window.registerFileDecorationProvider(this));
    this.#disposables.add(
      pending.onDidMove(({ sessionId, before, after }) => {
        const paths = new Set([...(before?.files ?? []), ...after.files].map(({ path }) => path));
        this.#changed.fire([...paths].map(path => fileUri(sessionId, 'proposed', path)));
      }),
    );
  }

  async provideFileDecoration(uri: vscode.Uri): Promise<vscode.FileDecoration | undefined> {
    const shown = uri.scheme === SCHEME ? fileOfUri(uri) : undefined;
    if (shown?.side !== 'proposed') {
      return undefined;
    }
    const { files, conflicts } = await this.#pending.get(shown.sessionId);
    const file = files.find(({ path }) => path === shown.path);
    if (!file) {
      return undefined;
    }
    const { badge, color } = LOOKS[file.status];
    if (conflicts.some(({ path }) => path === file.path)) {
      return new vscode.FileDecoration(
        '!',
        t('Conflict'),
        new vscode.ThemeColor('gitDecoration.conflictingResourceForeground'),
      );
    }
    return file.sensitive === undefined
      ? new vscode.FileDecoration(badge, wholeFileText(file), new vscode.ThemeColor(color))
      : new vscode.FileDecoration(`${badge}!`, told(file.sensitive), new vscode.ThemeColor('list.warningForeground'));
  }

  dispose(): void {
    this.#disposables.dispose();
  }
}
