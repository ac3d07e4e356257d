import * as vscode from 'vscode';
import { SandpiperError } from '../../../protocol/errors.ts';
import { codePlace, type LineEdit } from './codePlace.ts';
import { t } from '../../../protocol/text.ts';

/* What a person does with the code of an answer in the editor. Nothing is saved, and one Undo takes all of it back. */

interface Code {
  text: string;
  language?: string;
  path?: string;
}

/** Puts code at the cursor, in place of what is selected. @throws `unavailable` without an editor that can be written in */
export async function insertCode(text: string): Promise<void> {
  const editor = openEditor();
  await edited(editor, [editor.selection], withoutLastBreak(text));
}

/**
 * Brings code into the file that it names, else into the open one.
 * @throws `unavailable` without a file, `conflict` when it does not fit there or the editor does not take it
 */
export async function applyCode(code: Code): Promise<void> {
  const editor = (await namedEditor(code.path)) ?? openEditor();
  const { document, selection } = editor;
  if (!selection.isEmpty && code.language !== 'diff' && code.language !== 'patch') {
    await edited(editor, [selection], withoutLastBreak(code.text));
    return;
  }
  const lines = Array.from({ length: document.lineCount }, (_, index) => document.lineAt(index).text);
  const place = codePlace(lines, code);
  switch (place.kind) {
    case 'edits':
      await applyEdits(editor, place.edits);
      return;
    case 'unfit':
      throw new SandpiperError(
        'conflict',
        t('Part {0} of {1} is not in {2}.', place.part, place.parts, nameOf(document)),
        {
          hint: t('The file may have changed since. Nothing was changed.'),
        },
      );
    case 'unclear':
      await askWhere(editor, code.text);
  }
}

async function askWhere(editor: vscode.TextEditor, text: string): Promise<void> {
  const { document } = editor;
  const cursor = t('Insert at the Cursor');
  const whole = t('Replace All of {0}', nameOf(document));
  const chosen = await vscode.window.showQuickPick([cursor, whole], {
    title: t('Where in {0} does this code belong?', nameOf(document)),
    placeHolder: t('Undo takes it back'),
  });
  if (chosen === cursor) {
    await edited(editor, [editor.selection], withoutLastBreak(text));
  } else if (chosen === whole) {
    const end = document.lineAt(document.lineCount - 1).range.end;
    await edited(editor, [new vscode.Range(new vscode.Position(0, 0), end)], text);
  }
}

async function applyEdits(editor: vscode.TextEditor, edits: readonly LineEdit[]): Promise<void> {
  const { document } = editor;
  const done = await editor.edit(builder => {
    for (const { from, to, lines } of edits) {
      builder.replace(rangeOf(document, from, to), textOf(document, { from, to, lines }));
    }
  });
  await show(editor, done, edits[0]?.from ?? 0);
}

/** Whole lines with their line breaks; at the end of the file there may be none. */
function rangeOf(document: vscode.TextDocument, from: number, to: number): vscode.Range {
  return document.validateRange(new vscode.Range(from, 0, to, 0));
}

function textOf(document: vscode.TextDocument, { to, lines }: LineEdit): string {
  const text = lines.join('\n');
  if (lines.length === 0) {
    return '';
  }
  return to < document.lineCount ? `${text}\n` : text;
}

async function edited(editor: vscode.TextEditor, ranges: readonly vscode.Range[], text: string): Promise<void> {
  const done = await editor.edit(builder => {
    for (const range of ranges) {
      builder.replace(range, text);
    }
  });
  await show(editor, done, ranges[0]?.start.line ?? 0);
}

async function show(editor: vscode.TextEditor, done: boolean, line: number): Promise<void> {
  if (!done) {
    throw new SandpiperError('conflict', t('The editor does not take a change of {0}.', nameOf(editor.document)), {
      hint: t('Is the file read-only?'),
    });
  }
  const shown = await vscode.window.showTextDocument(editor.document, editor.viewColumn);
  shown.revealRange(new vscode.Range(line, 0, line, 0), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

function openEditor(): vscode.TextEditor {
  const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors[0];
  if (!editor) {
    throw new SandpiperError('unavailable', t('No file is open in the editor.'), {
      hint: t('Open the file that the code is for, and try again.'),
    });
  }
  return editor;
}

/** The file that the code names, when there is one in an open folder. The agent's word leads nowhere else. */
async function namedEditor(path: string | undefined): Promise<vscode.TextEditor | undefined> {
  if (path === undefined || path.startsWith('/') || /^[a-z]:/i.test(path) || path.split(/[\\/]/).includes('..')) {
    return undefined;
  }
  for (const { uri } of vscode.workspace.workspaceFolders ?? []) {
    const file = vscode.Uri.joinPath(uri, path);
    const stat = await Promise.resolve(vscode.workspace.fs.stat(file)).catch(() => undefined);
    if (stat && (stat.type & vscode.FileType.File) !== 0) {
      const document = await vscode.workspace.openTextDocument(file);
      return (
        vscode.window.visibleTextEditors.find(each => each.document === document) ??
        (await vscode.window.showTextDocument(document))
      );
    }
  }
  return undefined;
}

function nameOf(document: vscode.TextDocument): string {
  return vscode.workspace.asRelativePath(document.uri, false);
}

function withoutLastBreak(text: string): string {
  return text.replace(/\n$/, '');
}
