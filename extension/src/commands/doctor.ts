import * as vscode from 'vscode';
import { errorText, toSandpiperError } from '../../../protocol/errors.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import { findingsOf, reportText, type Check, type Finding, type Surroundings } from './doctorReport.ts';
import { t } from '../../../protocol/text.ts';

type Row = vscode.QuickPickItem & { finding?: Finding; act?: 'copy' | 'again' };

const ICONS: Record<Finding['status'], string> = { ok: 'pass', warning: 'warning', failed: 'error' };

/** Checks everything that a session needs, and shows it with a way to mend what is wrong. */
export async function doctor(relay: RelayConnection, version: string): Promise<void> {
  for (;;) {
    const { checks, around } = await examine(relay, version);
    const findings = findingsOf(checks, around);
    const chosen = await vscode.window.showQuickPick(rowsOf(findings), {
      title: titleOf(findings),
      placeHolder: t('Choose what is wrong to mend it'),
      matchOnDetail: true,
      ignoreFocusOut: true,
    });
    if (chosen?.act === 'copy') {
      await vscode.env.clipboard.writeText(reportText(findings, around));
      vscode.window.setStatusBarMessage(t('Sandpiper: copied the report.'), 5000);
      return;
    }
    const fix = chosen?.finding?.fix;
    if (fix?.kind === 'copy') {
      await vscode.env.clipboard.writeText(fix.text);
      vscode.window.setStatusBarMessage(t('Sandpiper: copied. Run it in a terminal.'), 5000);
      return;
    }
    if (fix) {
      await vscode.commands.executeCommand(fix.command);
    } else if (chosen?.act !== 'again') {
      return;
    }
  }
}

async function examine(relay: RelayConnection, version: string): Promise<{ checks: Check[]; around: Surroundings }> {
  const around: Surroundings = {
    version,
    editor: vscode.version,
    platform: process.platform,
    relay: undefined,
    problem: undefined,
    folders: vscode.workspace.workspaceFolders?.length ?? 0,
    trusted: vscode.workspace.isTrusted,
  };
  try {
    const [info, { checks }] = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: t('Checking what a session needs') },
      () => Promise.all([relay.call('relay.info', {}), relay.call('relay.checks', {})]),
    );
    return { checks, around: { ...around, relay: { url: relay.endpoint().url, version: info.version } } };
  } catch (thrown) {
    return { checks: [], around: { ...around, problem: errorText(toSandpiperError(thrown)) } };
  }
}

function titleOf(findings: readonly Finding[]): string {
  const failed = findings.filter(({ status }) => status === 'failed').length;
  return failed === 0 ? t('Doctor: sessions can run') : t('Doctor: {0} to mend before a session can run', failed);
}

function rowsOf(findings: readonly Finding[]): Row[] {
  return [
    ...findings.map(finding => ({
      label: finding.name,
      description: finding.detail,
      iconPath: new vscode.ThemeIcon(ICONS[finding.status]),
      ...(finding.hint === undefined || finding.status === 'ok'
        ? finding.fix
          ? { detail: `$(wrench) ${finding.fix.title}` }
          : {}
        : { detail: finding.fix ? t('{0} $(wrench) {1}', finding.hint, finding.fix.title) : finding.hint }),
      finding,
    })),
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    { label: `$(refresh) ${t('Check Again')}`, act: 'again' },
    { label: `$(copy) ${t('Copy Report')}`, act: 'copy' },
  ];
}
