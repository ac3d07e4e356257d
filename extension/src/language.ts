import * as vscode from 'vscode';
import { RELAY_TEXTS, tellerOf } from '../../protocol/relayTexts.ts';
import { useTexts } from '../../protocol/text.ts';

/*
 * Imported before every other module: `t` is `vscode.l10n.t` for modules that must not know of `vscode`, with the bundle that
 * VS Code chose for its display language, and constants of modules are made when they are loaded.
 */
if (vscode.l10n.bundle) {
  useTexts(vscode.l10n.bundle, vscode.env.language, tellerOf(RELAY_TEXTS));
}
