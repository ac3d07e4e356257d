import * as vscode from 'vscode';
import { DisposableStore } from '../disposables.ts';
import type { PendingChanges } from './pendingChanges.ts';
import { fileOfUri } from './reviewUris.ts';

const DRAW_MS = 50;

/** Marks pending changes beside the lines and in the overview ruler of the proposed side, also in a plain editor of it. */
export class PendingMarks implements vscode.Disposable {
  readonly #pending: PendingChanges;
  readonly #disposables = new DisposableStore();
  readonly #mark = this.#disposables.add(
    vscode.window.createTextEditorDecorationType({
      isWholeLine: true,
      overviewRulerLane: vscode.OverviewRulerLane.Left,
      overviewRulerColor: new vscode.ThemeColor('editorOverviewRuler.modifiedForeground'),
      borderColor: new vscode.ThemeColor('editorGutter.modifiedBackground'),
      borderStyle: 'solid',
      borderWidth: '0 0 0 2px',
    }),
  );
  #redraw: NodeJS.Timeout | undefined;

  constructor(pending: PendingChanges) {
    this.#pending = pending;
    this.#disposables.add(pending.onDidMove(() => this.#schedule()));
    this.#disposables.add(vscode.window.onDidChangeVisibleTextEditors(() => this.#schedule()));
    this.#disposables.add(
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (fileOfUri(document.uri)) {
          this.#schedule();
        }
      }),
    );
    this.#disposables.add({ dispose: () => clearTimeout(this.#redraw) });
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #schedule(): void {
    this.#redraw ??= setTimeout(() => {
      this.#redraw = undefined;
      for (const editor of vscode.window.visibleTextEditors) {
        this.#draw(editor);
      }
    }, DRAW_MS);
  }

  #draw(editor: vscode.TextEditor): void {
    const shown = fileOfUri(editor.document.uri);
    // What is being typed moves its marks by itself; they are set anew when it is saved.
    if (shown?.side !== 'proposed' || editor.document.isDirty) {
      return;
    }
    const file = this.#pending.peek(shown.sessionId)?.files.find(({ path }) => path === shown.path);
    const last = editor.document.lineCount - 1;
    const ranges = (file?.hunks ?? []).map(({ newStart, newCount }) => {
      const start = Math.min(newStart, last);
      return new vscode.Range(start, 0, Math.min(last, start + Math.max(0, newCount - 1)), 0);
    });
    editor.setDecorations(this.#mark, ranges);
  }
}
