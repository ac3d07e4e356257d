import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import * as vscode from 'vscode';
import type { UnsavedEdits } from '../../../landing/applyChanges.ts';
import type { ApplyRecord, ApplyRecords } from '../../../landing/applyRecord.ts';
import type { EditStep, UnsavedText } from '../../../landing/planApply.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { replacement } from './replacement.ts';
import { t } from '../../../protocol/text.ts';

/** Unsaved text of this window's editors, by path in a folder. */
export class OpenText implements UnsavedEdits {
  readonly #root: string;
  readonly #records: ApplyRecords;

  constructor(root: string, records: ApplyRecords) {
    this.#root = root;
    this.#records = records;
  }

  /** What is unsaved now, for a plan. */
  async unsaved(): Promise<UnsavedText> {
    const documents = vscode.workspace.textDocuments.filter(document => document.isDirty);
    const texts = new Map<string, { bytes: Buffer } | { unknown: true }>();
    for (const document of documents) {
      const path = await this.#pathOf(document.uri);
      if (path !== undefined) {
        texts.set(path, bytesOf(document) ?? { unknown: true });
      }
    }
    for (const notebook of vscode.workspace.notebookDocuments.filter(one => one.isDirty)) {
      const path = await this.#pathOf(notebook.uri);
      if (path !== undefined) {
        texts.set(path, { unknown: true });
      }
    }
    return path => texts.get(path);
  }

  /** Whether an editor of this window has the file with unsaved changes. */
  async isUnsaved(path: string): Promise<boolean> {
    return (await this.unsaved())(path) !== undefined;
  }

  async apply(edits: readonly EditStep[]): Promise<void> {
    const change = new vscode.WorkspaceEdit();
    for (const { path, before, after } of edits) {
      const document = await this.#document(path);
      if (!document || !bytesOf(document)?.bytes.equals(before)) {
        throw changed(path);
      }
      replaceText(change, document, after);
    }
    await run(change);
  }

  async changed(record: ApplyRecord): Promise<string[]> {
    const paths: string[] = [];
    for (const [index, { path }] of record.edits.entries()) {
      const after = await vscode.workspace.fs.readFile(vscode.Uri.file(this.#records.editOf(record, index, 'after')));
      const document = await this.#open(path);
      if (!document || !bytesOf(document)?.bytes.equals(Buffer.from(after))) {
        paths.push(path);
      }
    }
    return paths;
  }

  async undo(record: ApplyRecord, paths: readonly string[]): Promise<void> {
    const change = new vscode.WorkspaceEdit();
    for (const [index, { path }] of record.edits.entries()) {
      const document = paths.includes(path) ? await this.#open(path) : undefined;
      if (document) {
        const before = await vscode.workspace.fs.readFile(
          vscode.Uri.file(this.#records.editOf(record, index, 'before')),
        );
        replaceText(change, document, Buffer.from(before));
      }
    }
    await run(change);
  }

  async #document(path: string): Promise<vscode.TextDocument | undefined> {
    for (const document of vscode.workspace.textDocuments) {
      if ((await this.#pathOf(document.uri)) === path) {
        return document;
      }
    }
    return undefined;
  }

  async #open(path: string): Promise<vscode.TextDocument | undefined> {
    const open = await this.#document(path);
    return (
      open ??
      (await vscode.workspace.openTextDocument(vscode.Uri.file(join(this.#root, path))).then(
        document => document,
        () => undefined,
      ))
    );
  }

  /** The folder may be open under another name than the one that its links lead to. */
  async #pathOf(uri: vscode.Uri): Promise<string | undefined> {
    if (uri.scheme !== 'file') {
      return undefined;
    }
    const folder = await realpath(dirname(uri.fsPath)).catch(() => dirname(uri.fsPath));
    const path = relative(this.#root, join(folder, basename(uri.fsPath)));
    return path === '' || path.startsWith('..') ? undefined : path.split(sep).join('/');
  }
}

/** As the editor would save it; undefined in an encoding that is not known here. */
function bytesOf(document: vscode.TextDocument): { bytes: Buffer } | undefined {
  switch (document.encoding) {
    case 'utf8':
      return { bytes: Buffer.from(document.getText()) };
    case 'utf8bom':
      return { bytes: Buffer.from(`\uFEFF${document.getText()}`) };
    default:
      return undefined;
  }
}

function replaceText(change: vscode.WorkspaceEdit, document: vscode.TextDocument, content: Buffer): void {
  const { start, end, text } = replacement(document.getText(), content.toString('utf8').replace(/^\uFEFF/, ''));
  change.replace(document.uri, new vscode.Range(document.positionAt(start), document.positionAt(end)), text);
}

/** One edit over all files is one step of the editor's own undo. */
async function run(change: vscode.WorkspaceEdit): Promise<void> {
  if (change.size > 0 && !(await vscode.workspace.applyEdit(change))) {
    throw new SandpiperError('conflict', t('The editor refused the changes of files with unsaved text.'), {
      hint: t('Save or revert these files, then try again.'),
    });
  }
}

function changed(path: string): SandpiperError {
  return new SandpiperError('conflict', t('You typed in {0} meanwhile.', path), { hint: t('Try again.') });
}
