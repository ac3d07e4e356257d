import * as vscode from 'vscode';
import { POLICY_PATH, type PolicyViolation } from '../../../protocol/policy.ts';
import { t } from '../../../protocol/text.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { readSetting } from '../settings.ts';

interface Row extends vscode.QuickPickItem {
  violation: PolicyViolation;
}

/** Says whether the policy of the base branch lets a session's work land, and lists the rules that it breaks. */
export async function checkPolicy(
  relay: RelayLink,
  { sessionId, token }: { sessionId: string; token: string | undefined },
  openChanges: () => PromiseLike<unknown>,
): Promise<void> {
  const baseBranch = readSetting('pullRequest.baseBranch');
  const { source, violations } = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: t('Checking the policy') },
    () =>
      relay.call('policy.check', {
        sessionId,
        ...(token === undefined ? {} : { token }),
        ...(baseBranch === '' ? {} : { baseBranch }),
      }),
  );
  if (!source) {
    void vscode.window.showInformationMessage(t('There is no {0} on the base, so nothing is refused.', POLICY_PATH));
    return;
  }
  const where = source.branch ?? source.commit.slice(0, 7);
  if (violations.length === 0) {
    void vscode.window.showInformationMessage(t('The policy of {0} lets this land.', where));
    return;
  }
  const chosen = await vscode.window.showQuickPick(violations.map(toRow), {
    title: t('The policy of {0} does not let this land', where),
    placeHolder: t('Choose one to open the changes'),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (chosen && chosen.violation.rule !== 'file') {
    await openChanges();
  }
}

function toRow(violation: PolicyViolation): Row {
  const { rule, path, line, message, hint } = violation;
  const place = path === undefined ? t('All of it') : line === undefined ? path : `${path}:${line}`;
  return { label: `$(circle-slash) ${place}`, description: rule, detail: `${message} ${hint}`, violation };
}
