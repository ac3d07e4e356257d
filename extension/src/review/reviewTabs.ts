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

/** The class of a multi-file diff is not public, but what such a tab holds can be looked at. */
function sessionOfMultiDiff(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null || !('textDiffs' in input) || !Array.isArray(input.textDiffs)) {
    return undefined;
  }
  const diffs: unknown[] = input.textDiffs;
  for (const diff of diffs) {
    const modified = typeof diff === 'object' && diff !== null && 'modified' in diff ? diff.modified : undefined;
    const sessionId = modified instanceof vscode.Uri ? sessionOfUri(modified) : undefined;
    if (sessionId !== undefined) {
      return sessionId;
    }
  }
  return undefined;
}

function sessionOfUri(uri: vscode.Uri): string | undefined {
  return uri.scheme === SCHEME ? fromUriParts(uri)?.sessionId : undefined;
}
