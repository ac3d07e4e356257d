import * as vscode from 'vscode';
import { SETTING_DEFAULTS } from './manifest.ts';
import type { SettingName, Settings } from './manifest.ts';

const SECTION = 'sandpiper';

/** A setting as the user has it; a value of another type than declared counts as not set. */
export function readSetting<N extends SettingName>(name: N): Settings[N] {
  const fallback = SETTING_DEFAULTS[name];
  const value = vscode.workspace.getConfiguration(SECTION).get<Settings[N]>(name, fallback);
  return typeof value === typeof fallback ? value : fallback;
}

export async function writeMachineSetting<N extends SettingName>(
  name: N,
  value: Settings[N] | undefined,
): Promise<void> {
  await vscode.workspace.getConfiguration(SECTION).update(name, value, vscode.ConfigurationTarget.Global);
}

export function onDidChangeSetting(names: readonly SettingName[], listener: () => void): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration(event => {
    if (names.some(name => event.affectsConfiguration(`${SECTION}.${name}`))) {
      listener();
    }
  });
}
