import * as vscode from 'vscode';
import type { CallResult } from '../../../protocol/calls.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { t } from '../../../protocol/text.ts';

type Rule = CallResult<'rules.list'>['rules'][number];
type Row = vscode.QuickPickItem & { rule?: Rule };

const GROUPS: Record<Rule['scope'], string> = {
  everywhere: t('Everywhere'),
  repository: t('In One Repository'),
  session: t('In One Session'),
};

/** Shows what agents may do without asking, and removes what the person unticks. The one place for all scopes. */
export async function editRules(relay: RelayLink): Promise<void> {
  const { rules } = await relay.call('rules.list', {});
  if (rules.length === 0) {
    await vscode.window.showInformationMessage(
      t('There is no rule: agents ask as their permission mode says. "Always Allow" at a question makes one.'),
    );
    return;
  }
  const rows = rowsOf(rules);
  const chosen = await vscode.window.showQuickPick(rows, {
    title: t('Permission Rules'),
    placeHolder: t('Untick what agents shall ask about again, and press OK'),
    canPickMany: true,
    matchOnDescription: true,
    ignoreFocusOut: true,
  });
  if (!chosen) {
    return;
  }
  const kept = new Set(chosen.map(({ rule }) => rule));
  const removed = rules.filter(rule => !kept.has(rule));
  for (const rule of removed) {
    await relay.call('rules.remove', targetOf(rule));
  }
  if (removed.length > 0) {
    void offerUndo(relay, removed);
  }
}

async function offerUndo(relay: RelayLink, removed: readonly Rule[]): Promise<void> {
  const names = removed.map(({ rule }) => rule).join(', ');
  const chosen = await vscode.window.showInformationMessage(
    t('Agents ask again about {0}. One that works now does so from its next message on.', names),
    t('Undo'),
  );
  for (const rule of chosen === t('Undo') ? removed : []) {
    await relay.call('rules.add', targetOf(rule));
  }
}

function targetOf({ rule, scope, session, repository }: Rule) {
  return {
    rule,
    scope,
    ...(scope === 'session' && session ? { sessionId: session.id } : {}),
    ...(scope === 'repository' && repository ? { repositoryId: repository.id } : {}),
  };
}

function rowsOf(rules: readonly Rule[]): Row[] {
  return (['everywhere', 'repository', 'session'] as const).flatMap(scope => {
    const fitting = rules.filter(rule => rule.scope === scope);
    return fitting.length === 0
      ? []
      : [
          { label: GROUPS[scope], kind: vscode.QuickPickItemKind.Separator },
          ...fitting.map(rule => ({
            label: rule.rule.replaceAll('$(', '$\u200B('),
            description: [
              scope === 'session'
                ? (rule.session?.title ?? '')
                : scope === 'repository'
                  ? (rule.repository?.name ?? '')
                  : '',
              ...(rule.wide ? [t('allows everything of this tool')] : []),
            ]
              .filter(Boolean)
              .join(' · '),
            picked: true,
            rule,
          })),
        ];
  });
}
