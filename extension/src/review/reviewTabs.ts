import * as vscode from 'vscode';
import { SCHEME } from '../manifest.ts';
import { fromUriParts } from './sessionUri.ts';

/** The session whose files a tab shows, as a document, a diff or a multi-file diff. */
export function sessionOfTab(tab: vscode.Tab | undefined): string | undefined {
  const { input } = tab ?? {};
  if (input instanceof vscode.TabInputText) {
    return sessionOfUri(input.uri);
  }
  if (input instanceof vscode.TabInputTextDiff) {
    return sessionOfUri(input.modified);
  }
  return sessionOfMultiDiff(input);
}

/** Whether a tab shows a diff of many files of a session. */
export function isMultiDiff({ input }: vscode.Tab): boolean {
  return sessionOfMultiDiff(input) !== undefined;
}

/** The tabs that show all changes of a session. */
export function changesTabs(sessionId: string): vscode.Tab[] {
  return vscode.window.tabGroups.all
    .flatMap(group => group.tabs)
    .filter(tab => sessionOfMultiDiff(tab.input) === sessionId);
}

/** The files that a diff of many files shows, as they are proposed. */
export function pathsOfTab({ input }: vscode.Tab): Set<string> {
  return new Set(modifiedIn(input).map(uri => fromUriParts(uri)?.path ?? ''));
}

function sessionOfMultiDiff(input: unknown): string | undefined {
  return modifiedIn(input)
    .map(sessionOfUri)
    .find(sessionId => sessionId !== undefined);
}

/** The class of a multi-file diff is not public, but what such a tab holds can be looked at. */
function modifiedIn(input: unknown): vscode.Uri[] {
  if (typeof input !== 'object' || input === null || !('textDiffs' in input) || !Array.isArray(input.textDiffs)) {
    return [];
  }
  const diffs: unknown[] = input.textDiffs;
  return diffs
    .map(diff => (typeof diff === 'object' && diff !== null && 'modified' in diff ? diff.modified : undefined))
    .filter(modified => modified instanceof vscode.Uri);
}

function sessionOfUri(uri: vscode.Uri): string | undefined {
  return uri.scheme === SCHEME ? fromUriParts(uri)?.sessionId : undefined;
}
