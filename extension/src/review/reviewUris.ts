import * as vscode from 'vscode';
import { SCHEME } from '../manifest.ts';
import { fromUriParts, toUriParts } from './sessionUri.ts';
import type { SessionFile, ShownTree, UriParts } from './sessionUri.ts';

/** The address of a session's file at one side. */
export function fileUri(sessionId: string, side: ShownTree, path: string): vscode.Uri {
  return toUri(toUriParts({ sessionId, side, path }));
}

export function toUri(parts: UriParts): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, ...parts });
}

/** The file that an address names; undefined when it is none of ours. */
export function fileOfUri(uri: vscode.Uri): SessionFile | undefined {
  return uri.scheme === SCHEME ? fromUriParts(uri) : undefined;
}
