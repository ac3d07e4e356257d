import * as vscode from 'vscode';

const RESULT = /[\\/]applies[\\/](\d{15}-[0-9a-f]{8})[\\/]conflicts[\\/](\d+)[\\/]result[\\/][^\\/]+$/;

/** The conflict of an apply that is being merged in a file. */
export interface MergedConflict {
  /** The file with the result. */
  file: string;
  recordId: string;
  index: number;
}

/** What an editor's tab merges for us. The class of a merge editor is not public, but what its tab holds can be looked at. */
export function mergedIn(tab: vscode.Tab | undefined): MergedConflict | undefined {
  const result = resultOf(tab?.input);
  const [, recordId, index] = RESULT.exec(result?.fsPath ?? '') ?? [];
  return result && recordId !== undefined ? { file: result.fsPath, recordId, index: Number(index) } : undefined;
}

function resultOf(input: unknown): vscode.Uri | undefined {
  if (input instanceof vscode.TabInputText) {
    return input.uri;
  }
  return typeof input === 'object' && input !== null && 'result' in input && input.result instanceof vscode.Uri
    ? input.result
    : undefined;
}
