import * as vscode from 'vscode';
import type { TakenBranch } from './takenBranch.ts';

/** Asks what to do about what others pushed to the branch. Their commits stay in every case. */
export async function askBesideTheirs(
  { suggestedBranch, mayKeepTheirs }: TakenBranch,
  what: string,
): Promise<{ withTheirs: true } | { branch: string } | undefined> {
  const keep = 'Keep Theirs and Add This Change';
  const other = 'Use Another Branch…';
  const chosen = await vscode.window.showWarningMessage(
    'Others pushed to the branch of this session.',
    {
      modal: true,
      detail: mayKeepTheirs
        ? `${what} Their commits can be kept and this session's change added, or it can go to a branch of its own.`
        : what,
    },
    ...(mayKeepTheirs ? [keep] : []),
    other,
  );
  if (chosen === keep) {
    return { withTheirs: true };
  }
  const branch =
    chosen === other
      ? await vscode.window.showInputBox({
          title: 'Branch for the pull request',
          value: suggestedBranch,
          validateInput: value => (value.trim() === '' ? 'Give the branch a name.' : undefined),
        })
      : undefined;
  return branch === undefined ? undefined : { branch: branch.trim() };
}
