import * as vscode from 'vscode';
import type { LandingTree } from '../../../protocol/landingCalls.ts';
import { landingChoices } from './landingChoice.ts';
import type { LandingDescription } from './landingChoice.ts';

/**
 * What of a session lands: asks where there is a choice.
 * @returns undefined when the person chose nothing
 */
export async function askLandingTree(
  described: LandingDescription,
  placeHolder: string,
): Promise<LandingTree | undefined> {
  const choices = landingChoices(described);
  if (choices.length === 0) {
    return described.default;
  }
  const chosen = await vscode.window.showQuickPick(choices, { title: 'Sandpiper', placeHolder, ignoreFocusOut: true });
  return chosen?.from;
}
