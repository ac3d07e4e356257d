import * as vscode from 'vscode';
import type { TakenBranch } from './takenBranch.ts';
import { t } from '../../../protocol/text.ts';

/** Asks what to do about what others pushed to the branch. Their commits stay in every case. */
export async function askBesideTheirs(
  { suggestedBranch, mayKeepTheirs }: TakenBranch,
  what: string,
): Promise<{ withTheirs: true } | { branch: string } | undefined> {
  const keep = t('Keep Theirs and Add This Change');
  const other = t('Use Another Branch…');
  const chosen = await vscode.window.showWarningMessage(
    t('Others pushed to the branch of this session.'),
    {
      modal: true,
      detail: mayKeepTheirs
        ? t("{0} Their commits can be kept and this session's change added, or it can go to a branch of its own.", what)
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
          title: t('Branch for the pull request'),
          value: suggestedBranch,
          validateInput: value => (value.trim() === '' ? t('Give the branch a name.') : undefined),
        })
      : undefined;
  return branch === undefined ? undefined : { branch: branch.trim() };
}
