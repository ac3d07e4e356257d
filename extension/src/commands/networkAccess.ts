import * as vscode from 'vscode';
import type { CallResult } from '../../../protocol/calls.ts';
import { networkName } from '../../../protocol/networkReducer.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import { t } from '../../../protocol/text.ts';

type Network = CallResult<'session.network'>;

interface Row extends vscode.QuickPickItem {
  /** What to allow or to forbid; absent: it is asked for. */
  change?: { allow: string; scope: 'session' | 'repository'; allowed: boolean };
}

/** Shows what the programs of a session may reach and what was refused, and changes it. */
export async function manageNetwork(actions: SessionActions, sessionId: string, title: string): Promise<void> {
  const network = await actions.network(sessionId);
  if (!network.proxied) {
    void vscode.window.showInformationMessage(
      t(
        '{0}: the relay does not stand between this session and the network. Its provider decides what it reaches.',
        title,
      ),
    );
    return;
  }
  const chosen = await vscode.window.showQuickPick<Row>(rowsOf(network), {
    title: t('Network Access: {0}', title),
    placeHolder:
      network.rules.length === 0 ? t('Its programs reach nothing but the model') : t('Allow a host, or take it back'),
    matchOnDescription: true,
    ignoreFocusOut: true,
  });
  const change = chosen && (chosen.change ?? (await askHost()));
  if (change) {
    await actions.allowNetwork(sessionId, change);
  }
}

function rowsOf({ rules, seen, presets }: Network): Row[] {
  const blocked = new Set(seen.filter(place => place.blocked === 'notAllowed').map(networkName));
  const allowed = new Set(rules.map(({ rule }) => networkName(rule)));
  const refused = [...blocked].filter(name => !allowed.has(name)).reverse();
  const own = rules.filter(({ from }) => from !== 'relay');
  return [
    ...refused.flatMap(name => [
      { label: `$(add) ${t('Allow {0}', name)}`, description: t('in this session'), change: changeOf(name, 'session') },
      {
        label: `$(add) ${t('Always Allow {0}', name)}`,
        description: t('for this repository'),
        change: changeOf(name, 'repository'),
      },
    ]),
    { label: `$(globe) ${t('Allow Another Host…')}` },
    ...Object.entries(presets).map(([name, of]) => ({
      label: `$(package) ${t('Allow {0}', name)}`,
      description: of.map(networkName).join(', '),
      change: changeOf(name, 'session'),
    })),
    ...own.map(({ rule, from }) => ({
      label: `$(trash) ${t('Forbid {0}', networkName(rule))}`,
      description: from === 'session' ? t('allowed by the session') : t('allowed by the repository'),
      change: { ...changeOf(networkName(rule), 'session'), allowed: false },
    })),
  ];
}

function changeOf(allow: string, scope: 'session' | 'repository'): NonNullable<Row['change']> {
  return { allow, scope, allowed: true };
}

async function askHost(): Promise<Row['change']> {
  const host = await vscode.window.showInputBox({
    title: t('Allow Host'),
    prompt: t('host, host:port or *.host:port; without a port 443 is meant'),
    placeHolder: 'registry.example.com',
    ignoreFocusOut: true,
  });
  return host === undefined || host.trim() === '' ? undefined : changeOf(host.trim(), 'session');
}
