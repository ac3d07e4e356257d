import * as vscode from 'vscode';
import type { SessionState, SessionSummary } from '../../../protocol/session.ts';
import { turnChoices } from './turnChoices.ts';
import { t } from '../../../protocol/text.ts';

export interface ChosenTree {
  /** As in protocol/trees.ts. */
  tree: string;
  label: string;
  /** The session that it is of, when that is another one. */
  sessionId?: string;
  /** It stands on the left of a comparison. */
  isEarlier: boolean;
}

interface TreeItem extends vscode.QuickPickItem {
  chosen?: ChosenTree;
  asksBranch?: boolean;
}

/** What a turn is compared with: another turn, what was accepted or is on offer, a branch, another session. */
export async function askTree(
  state: SessionState,
  turn: number,
  summaries: readonly SessionSummary[],
): Promise<ChosenTree | undefined> {
  const chosen = await vscode.window.showQuickPick(treeItems(state, turn, summaries), {
    title: turn === 0 ? t('Compare the Start') : t('Compare Turn {0}', turn),
    placeHolder: t('What to compare it with'),
    matchOnDetail: true,
    ignoreFocusOut: true,
  });
  return chosen?.asksBranch === true ? askBranch(state) : chosen?.chosen;
}

function treeItems(state: SessionState, turn: number, summaries: readonly SessionSummary[]): TreeItem[] {
  const separator = (label: string): TreeItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const others = summaries.filter(({ id, repository }) => id !== state.id && repository.id === state.repository.id);
  const turns = turnChoices(state)
    .filter(choice => choice.turn !== turn)
    .map(({ label, description, detail, turn: other }): TreeItem => {
      const chosen = { tree: `turn:${other}`, label, isEarlier: other < turn };
      return { label, description, detail, chosen };
    });
  return [
    { label: t('What Is on Offer Now'), chosen: { tree: 'proposed', label: t('Proposed'), isEarlier: false } },
    { label: t('What You Accepted'), chosen: { tree: 'accepted', label: t('Accepted'), isEarlier: true } },
    { label: t('A Branch…'), detail: t('As it is in the repository now'), asksBranch: true },
    separator(t('Turns')),
    ...turns,
    ...(others.length === 0 ? [] : [separator(t('Other Sessions of This Repository'))]),
    ...others.map(({ id, title }): TreeItem => ({
      label: title,
      chosen: { tree: 'proposed', label: title, sessionId: id, isEarlier: false },
    })),
  ];
}

async function askBranch(state: SessionState): Promise<ChosenTree | undefined> {
  const branch = await vscode.window.showInputBox({
    title: t('Compare with a Branch'),
    prompt: t('A branch of {0}, as it is now', state.repository.name),
    value: state.repository.branch ?? 'main',
    ignoreFocusOut: true,
  });
  const name = branch?.trim() ?? '';
  return name === '' ? undefined : { tree: `branch:${name}`, label: name, isEarlier: true };
}
