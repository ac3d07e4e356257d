import './language.ts';
import type * as vscode from 'vscode';
import { createContainer } from './container.ts';

/** Builds the parts and returns; the relay is reached when something needs it. */
export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(createContainer(context));
}
