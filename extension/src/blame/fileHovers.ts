import * as vscode from 'vscode';
import { SandpiperError } from '../../../protocol/errors.ts';
import { DisposableStore } from '../disposables.ts';
import type { Log } from '../log.ts';
import type { FileOrigins } from './fileOrigins.ts';
import { t } from '../../../protocol/text.ts';

/** What was asked for last, for the hover that is about to show it. */
interface Answer {
  uri: string;
  version: number;
  line: number;
  text: vscode.MarkdownString;
}

/**
 * Says in the user's own files where a line comes from. Of what was applied a hover says so; to ask git about a line takes a
 * command, because in a large repository that is no small thing.
 */
export class FileHovers implements vscode.HoverProvider, vscode.Disposable {
  readonly #origins: () => Promise<FileOrigins>;
  readonly #hasApplied: () => boolean;
  readonly #log: Log;
  readonly #disposables = new DisposableStore();
  #answer: Answer | undefined;

  /** @param hasApplied whether anything is known to be applied to an open folder */
  constructor(origins: () => Promise<FileOrigins>, hasApplied: () => boolean, log: Log) {
    this.#origins = origins;
    this.#hasApplied = hasApplied;
    this.#log = log;
    this.#disposables.add(vscode.languages.registerHoverProvider({ scheme: 'file' }, this));
  }

  async provideHover(document: vscode.TextDocument, { line }: vscode.Position): Promise<vscode.Hover | undefined> {
    const { range } = document.lineAt(line);
    const answer = this.#answer;
    const isAsked =
      answer?.uri === document.uri.toString() && answer.version === document.version && answer.line === line;
    if (answer && isAsked) {
      return new vscode.Hover(answer.text, range);
    }
    try {
      const text = this.#hasApplied() ? await (await this.#origins()).applied({ document, line }) : undefined;
      return text && new vscode.Hover(text, range);
    } catch (thrown) {
      this.#log.warn('review', `Cannot say where a line comes from: ${String(thrown)}`);
      return undefined;
    }
  }

  /** Finds out about the line at the cursor and shows it. @throws `not_found` when no session wrote it */
  async show(editor: vscode.TextEditor): Promise<void> {
    const { document, selection } = editor;
    const { line } = selection.active;
    if (document.uri.scheme !== 'file') {
      throw new SandpiperError('not_found', t('This is no file of a folder on this machine.'));
    }
    const text = await (await this.#origins()).find({ document, line });
    this.#answer = { uri: document.uri.toString(), version: document.version, line, text };
    await vscode.commands.executeCommand('editor.action.showHover', { focus: 'focusIfVisible' });
  }

  dispose(): void {
    this.#disposables.dispose();
  }
}
