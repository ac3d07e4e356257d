import * as vscode from 'vscode';
import { hunkAt, nextPlace } from './hunkPlaces.ts';
import type { Place } from './hunkPlaces.ts';
import type { Pending, PendingChanges } from './pendingChanges.ts';
import { openFileDiff } from './openDiffs.ts';
import { isMultiDiff, sessionOfTab } from './reviewTabs.ts';
import { fileOfUri, fileUri } from './reviewUris.ts';
import type { ReviewTarget } from './reviewTarget.ts';
import { t } from '../../../protocol/text.ts';

export type Direction = 'next' | 'previous';

const STEP = { next: 'multiDiffEditor.goToNextChange', previous: 'multiDiffEditor.goToPreviousChange' } as const;
/** How long the editor may take to draw a file that it is told to go to, also on a machine that is busy. Else a tab of its own is opened. */
const DRAWN_MS = 8000;

/** Where the person is in a review. */
export interface Cursor {
  sessionId: string;
  path: string;
  /** In the proposed file; the start of its hunk when the cursor is in the accepted one. */
  line: number;
  target: ReviewTarget | undefined;
}

/** Finds the change that the cursor is in, and takes the cursor to others. */
export class ReviewNavigation {
  readonly #pending: PendingChanges;
  /** The move that is under way: keys that are pressed quickly take effect one after the other. Never rejects. */
  #moving: Promise<void> = Promise.resolve();

  constructor(pending: PendingChanges) {
    this.#pending = pending;
  }

  /** Where the moves that were asked for lead to; undefined when the cursor is then in no file of a review. */
  async cursor(): Promise<Cursor | undefined> {
    await this.#moving;
    return this.#cursorNow();
  }

  async #cursorNow(): Promise<Cursor | undefined> {
    const editor = vscode.window.activeTextEditor;
    const shown = editor && fileOfUri(editor.document.uri);
    if (!editor || !shown || (shown.side !== 'proposed' && shown.side !== 'accepted')) {
      return undefined;
    }
    const { sessionId, side } = shown;
    const { files } = await this.#pending.get(sessionId);
    const file = files.find(({ path, oldPath }) => (side === 'proposed' ? path : (oldPath ?? path)) === shown.path);
    const path = file?.path ?? shown.path;
    const { line } = editor.selection.active;
    if (!file || file.hunks.length === 0) {
      return { sessionId, path, line, target: file && { sessionId, path } };
    }
    const hunk = hunkAt(file, side, line);
    return { sessionId, path, line: hunk?.newStart ?? line, target: hunk && { sessionId, path, hunk: hunk.id } };
  }

  /** Goes to the pending change after or before the cursor, in whichever file it is. */
  go(sessionId: string, direction: Direction): Promise<void> {
    return this.#inTurn(async () => {
      const cursor = await this.#cursorNow();
      const pending = await this.#pending.get(sessionId);
      const from = cursor?.sessionId === sessionId ? cursor : undefined;
      await this.#show(sessionId, nextPlace(pending.files, from, direction), direction);
    });
  }

  /** Goes on from a change that was decided. */
  async goOn(sessionId: string, decided: Pick<Place, 'path' | 'line'>, before: Pending, after: Pending): Promise<void> {
    const order = before.files.map(({ path }) => path);
    // What follows a decided change may have taken its line.
    const from = { path: decided.path, line: decided.line - 1 };
    // No diff shows a binary: going there would open another tab.
    const shown = after.files.filter(({ binary }) => !binary);
    await this.reveal(sessionId, nextPlace(shown, from, 'next', order), 'next');
  }

  reveal(sessionId: string, place: Place | undefined, direction: Direction = 'next'): Promise<void> {
    return this.#inTurn(() => this.#show(sessionId, place, direction));
  }

  #inTurn(move: () => Promise<void>): Promise<void> {
    const moved = this.#moving.then(move);
    this.#moving = moved.catch(() => undefined);
    return moved;
  }

  async #show(sessionId: string, place: Place | undefined, direction: Direction): Promise<void> {
    if (!place) {
      vscode.window.setStatusBarMessage(`$(check-all) ${t('Sandpiper: nothing is pending any more')}`, 5000);
      return;
    }
    const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
    const isHere = tab !== undefined && isMultiDiff(tab) && sessionOfTab(tab) === sessionId;
    const editor = isHere
      ? await this.#step(fileUri(sessionId, 'proposed', place.path), direction)
      : activeEditorOf(fileUri(sessionId, 'proposed', place.path));
    if (editor) {
      select(editor, place.line);
      return;
    }
    const pending = await this.#pending.get(sessionId);
    const file = pending.files.find(({ path }) => path === place.path);
    if (file) {
      await openFileDiff(sessionId, file, { line: place.line });
    }
  }

  /** Through a diff of many files no call leads to one of them, but the editor's own steps do. */
  async #step(uri: vscode.Uri, direction: Direction): Promise<vscode.TextEditor | undefined> {
    const seen = new Set<string>();
    for (;;) {
      const here = activeEditorOf(uri);
      const at = vscode.window.activeTextEditor?.document.uri.toString() ?? '';
      if (here || seen.has(at)) {
        return here;
      }
      seen.add(at);
      await leave(vscode.window.activeTextEditor, direction);
    }
  }
}

/** Steps from the outermost line, so that no change of the same file is between. */
async function leave(editor: vscode.TextEditor | undefined, direction: Direction): Promise<void> {
  const from = editor?.document.uri.toString();
  const arrived = new Promise<void>(resolve => {
    const timer = setTimeout(() => end(), DRAWN_MS);
    const listener = vscode.window.onDidChangeActiveTextEditor(active => {
      if (active && active.document.uri.toString() !== from) {
        end();
      }
    });
    const end = (): void => {
      clearTimeout(timer);
      listener.dispose();
      resolve();
    };
  });
  if (editor) {
    const line = direction === 'next' ? editor.document.lineCount - 1 : 0;
    const { range } = editor.document.lineAt(line);
    const edge = direction === 'next' ? range.end : range.start;
    editor.selection = new vscode.Selection(edge, edge);
  }
  await vscode.commands.executeCommand(STEP[direction]);
  await arrived;
}

function activeEditorOf(uri: vscode.Uri): vscode.TextEditor | undefined {
  const editor = vscode.window.activeTextEditor;
  return editor?.document.uri.toString() === uri.toString() ? editor : undefined;
}

function select(editor: vscode.TextEditor, line: number): void {
  const { range } = editor.document.lineAt(Math.min(line, editor.document.lineCount - 1));
  editor.selection = new vscode.Selection(range.start, range.start);
  editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
