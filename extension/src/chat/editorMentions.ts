import * as vscode from 'vscode';
import type { RequestResult } from '../../../protocol/webviewApi.ts';

type Mention = RequestResult<'editorMentions'>['mentions'][number];

const MAX_SELECTION = 20_000;
const MAX_SYMBOLS = 8;
const SYMBOLS_WITHIN_MS = 1500;

/** What the editor can add to a message: the selection, and symbols by name. */
export async function editorMentions(query: string): Promise<Mention[]> {
  const selection = selectionMention();
  const wanted = 'selection'.startsWith(query.toLowerCase()) ? selection : undefined;
  return [...(wanted ? [wanted] : []), ...(query.length < 2 ? [] : await symbolMentions(query))];
}

/** With its text: the agent's clone may not have these lines, or not as they are here. */
function selectionMention(): Mention | undefined {
  const editor =
    vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors.find(each => !each.selection.isEmpty);
  if (!editor || editor.selection.isEmpty) {
    return undefined;
  }
  const { document, selection } = editor;
  const lines = new vscode.Range(selection.start, selection.end);
  const text = document.getText(lines).slice(0, MAX_SELECTION);
  const last = selection.end.character === 0 && !selection.isSingleLine ? selection.end.line : selection.end.line + 1;
  const path = vscode.workspace.asRelativePath(document.uri, false);
  const place = `${path} lines ${selection.start.line + 1} to ${last}`;
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return {
    label: '@selection',
    detail: place,
    insert: `${place}:\n${fence}${document.languageId}\n${text.replace(/\n$/, '')}\n${fence}\n`,
  };
}

/** A language server that is slow must not hold up the files. */
async function symbolMentions(query: string): Promise<Mention[]> {
  const asked = vscode.commands.executeCommand<vscode.SymbolInformation[] | undefined>(
    'vscode.executeWorkspaceSymbolProvider',
    query,
  );
  const found = await Promise.race([
    Promise.resolve(asked).catch(() => undefined),
    new Promise<undefined>(resolve => setTimeout(() => resolve(undefined), SYMBOLS_WITHIN_MS)),
  ]);
  return (found ?? [])
    .filter(({ location }) => vscode.workspace.getWorkspaceFolder(location.uri))
    .slice(0, MAX_SYMBOLS)
    .map(({ name, location }) => {
      const path = vscode.workspace.asRelativePath(location.uri, false);
      const line = location.range.start.line + 1;
      return { label: `@${name}`, detail: `${path}:${line}`, insert: `\`${name}\` (@${path} line ${line})` };
    });
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
