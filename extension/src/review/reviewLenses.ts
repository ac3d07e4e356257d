import * as vscode from 'vscode';
import { DisposableStore } from '../disposables.ts';
import { SCHEME } from '../manifest.ts';
import { lensesOf } from './hunkLenses.ts';
import { movedLine } from './hunkPlaces.ts';
import type { Lens } from './hunkLenses.ts';
import type { PendingChanges } from './pendingChanges.ts';
import { fileOfUri } from './reviewUris.ts';
import type { SandpiperFileSystem } from './sandpiperFileSystem.ts';
import { t } from '../../../protocol/text.ts';

/** Made by what talks to the agent about a change; without it there is no such lens. */
const ASK_AGENT = 'sandpiper.askAgent';

/** Longer than the editor waits before it asks for lenses. */
const LATE_MS = 1000;

/** Accept and Reject above every pending change, in the proposed side of any diff. */
export class ReviewLenses implements vscode.CodeLensProvider, vscode.Disposable {
  readonly #pending: PendingChanges;
  readonly #files: SandpiperFileSystem;
  readonly #disposables = new DisposableStore();
  readonly #changed = this.#disposables.add(new vscode.EventEmitter<void>());
  #canAsk: Promise<boolean> | undefined;
  #late: NodeJS.Timeout | undefined;
  #isMoving = false;

  readonly onDidChangeCodeLenses = this.#changed.event;

  constructor(pending: PendingChanges, files: SandpiperFileSystem) {
    this.#pending = pending;
    this.#files = files;
    this.#disposables.add(vscode.languages.registerCodeLensProvider({ scheme: SCHEME }, this));
    this.#disposables.add(
      pending.onDidMove(() => {
        this.#isMoving = true;
        this.#changed.fire();
        this.#fireLate();
      }),
    );
    // A decision takes the focus on. When nothing was decided, to ask again would only put off the lenses that are coming.
    this.#disposables.add(
      vscode.window.onDidChangeActiveTextEditor(() => {
        if (this.#isMoving) {
          this.#changed.fire();
        }
        this.#fireLate();
      }),
    );
    this.#disposables.add(vscode.window.onDidChangeVisibleTextEditors(() => this.#fireLate()));
    this.#disposables.add({ dispose: () => clearTimeout(this.#late) });
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    const file = fileOfUri(document.uri);
    if (file?.side !== 'proposed') {
      return [];
    }
    const { files, conflicts } = await this.#pending.get(file.sessionId);
    const change = files.find(({ path }) => path === file.path);
    if (!change) {
      return [];
    }
    const isConflict = conflicts.some(({ path }) => path === file.path);
    const place = this.#placer(document);
    const lenses = lensesOf(file.sessionId, change, isConflict).map(lens => toCodeLens(lens, place(lens.line)));
    return (await this.#canAskAgent()) ? [...lenses, ...askLenses(document, change.hunks, place)] : lenses;
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  /** An editor that loses the focus drops the refresh that it was about to make, also the first; this one it makes. */
  #fireLate(): void {
    clearTimeout(this.#late);
    this.#late = setTimeout(() => {
      this.#isMoving = false;
      this.#changed.fire();
    }, LATE_MS);
  }

  /** Hunks are those of the saved text; what is being typed moves them. */
  #placer(document: vscode.TextDocument): (line: number) => number {
    const saved = document.isDirty ? this.#files.savedText(document.uri)?.split(/\r\n|\r|\n/) : undefined;
    const now = saved && document.getText().split(/\r\n|\r|\n/);
    return line => Math.min(document.lineCount - 1, saved && now ? movedLine(saved, now, line) : line);
  }

  #canAskAgent(): Promise<boolean> {
    this.#canAsk ??= (async () => (await vscode.commands.getCommands(true)).includes(ASK_AGENT))();
    return this.#canAsk;
  }
}

function toCodeLens({ title, tooltip = '', command, target }: Lens, line: number): vscode.CodeLens {
  return new vscode.CodeLens(new vscode.Range(line, 0, line, 0), {
    title,
    tooltip,
    // Without one the words cannot be clicked.
    command: command ?? '',
    ...(target ? { arguments: [target] } : {}),
  });
}

function askLenses(
  { uri, lineCount }: vscode.TextDocument,
  hunks: readonly { newStart: number; newCount: number }[],
  place: (line: number) => number,
): vscode.CodeLens[] {
  return hunks.map(({ newStart, newCount }) => {
    const line = place(newStart);
    const last = Math.min(lineCount - 1, line + Math.max(0, newCount - 1));
    return new vscode.CodeLens(new vscode.Range(line, 0, line, 0), {
      title: `$(comment) ${t('Ask agent')}`,
      tooltip: t('Write the agent a comment on this change'),
      command: ASK_AGENT,
      arguments: [uri, new vscode.Range(line, 0, last, 0)],
    });
  });
}
