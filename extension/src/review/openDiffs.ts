import * as vscode from 'vscode';
import type { FileChange } from '../../../protocol/callParts.ts';
import { originalsOf, toEntry } from './changeEntries.ts';
import type { ChangeEntry } from './changeEntries.ts';
import { changesTabs } from './reviewTabs.ts';
import { fileUri, toUri } from './reviewUris.ts';
import type { ShownTree } from './sessionUri.ts';
import { t } from '../../../protocol/text.ts';

/** Shows files of a session in one diff editor; a tab that shows them already is replaced, as each call opens another. */
export async function openManyDiffs(sessionId: string, title: string, entries: readonly ChangeEntry[]): Promise<void> {
  await closeChanges(sessionId);
  const originals = originalsOf(entries);
  const resources = entries.map((entry, index): [vscode.Uri, vscode.Uri | undefined, vscode.Uri] => {
    const modified = toUri(entry.modified);
    const original = originals[index];
    return [modified, original === undefined ? undefined : toUri(original), modified];
  });
  await vscode.commands.executeCommand('vscode.changes', t('Sandpiper: {0}', title), resources);
  // As a preview it would be gone with the next file that is looked at.
  await vscode.commands.executeCommand('workbench.action.keepEditor');
}

/** One file against what was accepted, or against where the session started. */
export async function openFileDiff(
  sessionId: string,
  change: FileChange,
  { line, from = 'accepted', preview = true }: { line?: number; from?: ShownTree; preview?: boolean } = {},
): Promise<void> {
  const { before, modified } = toEntry(sessionId, change, from);
  const options: vscode.TextDocumentShowOptions = {
    preview,
    ...(line === undefined ? {} : { selection: new vscode.Range(line, 0, line, 0) }),
  };
  const title = t('{0} (Sandpiper)', change.path);
  await vscode.commands.executeCommand('vscode.diff', toUri(before), toUri(modified), title, options);
}

/** The agent's version beside the reviewer's, which can be edited until it is right. */
export async function openConflict(sessionId: string, path: string, turn: number): Promise<void> {
  const [theirs, mine] = [fileUri(sessionId, `turn:${turn}`, path), fileUri(sessionId, 'proposed', path)];
  await vscode.commands.executeCommand('vscode.diff', theirs, mine, t('{0} (the agent’s ↔ yours)', path));
}

export async function closeChanges(sessionId: string): Promise<void> {
  const tabs = changesTabs(sessionId);
  if (tabs.length > 0) {
    await vscode.window.tabGroups.close(tabs, true);
  }
}
