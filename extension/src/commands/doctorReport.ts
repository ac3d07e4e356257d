import type { CallResult } from '../../../protocol/calls.ts';
import { installCommand } from '../errorActions.ts';
import { t } from '../../../protocol/text.ts';

export type Check = CallResult<'relay.checks'>['checks'][number];

/** What the extension knows of itself, beside what the relay checks. */
export interface Surroundings {
  version: string;
  editor: string;
  /** Of the machine that the extension runs on. */
  platform: string;
  /** Undefined: the relay could not be asked. */
  relay: { url: string; version: string } | undefined;
  /** Why the relay could not be asked. */
  problem: string | undefined;
  folders: number;
  trusted: boolean;
}

export type Fix = { kind: 'command'; title: string; command: string } | { kind: 'copy'; title: string; text: string };

export interface Finding extends Check {
  fix?: Fix;
}

/** Everything that a session needs, what is wrong first. */
export function findingsOf(checks: readonly Check[], around: Surroundings): Finding[] {
  const all: Finding[] = [...ownFindings(around), ...checks.map(check => withFix(check, around.platform))];
  const order = { failed: 0, warning: 1, ok: 2 };
  return all.sort((one, other) => order[one.status] - order[other.status]);
}

function ownFindings({ relay, problem, version, folders, trusted }: Surroundings): Finding[] {
  return [
    relay
      ? relay.version === version
        ? { name: 'relay', status: 'ok', detail: t('version {0} at {1}', relay.version, relay.url) }
        : {
            name: 'relay',
            status: 'warning',
            detail: t('version {0}, the extension is {1}', relay.version, version),
            hint: t('They work together where they can; a restart takes the relay of the extension.'),
            fix: { kind: 'command', title: t('Restart Relay'), command: 'sandpiper.restartRelay' },
          }
      : {
          name: 'relay',
          status: 'failed',
          detail: problem ?? t('cannot be reached'),
          hint: t('Nothing else can be checked without it.'),
          fix: { kind: 'command', title: t('Retry Now'), command: 'sandpiper.reconnectRelay' },
        },
    folders > 0
      ? {
          name: 'folder',
          status: 'ok',
          detail: folders === 1 ? t('one folder is open') : t('{0} folders are open', folders),
        }
      : {
          name: 'folder',
          status: 'warning',
          detail: t('no folder is open'),
          hint: t('A session works on a git repository.'),
          fix: { kind: 'command', title: t('Open Folder'), command: 'vscode.openFolder' },
        },
    trusted
      ? { name: 'trust', status: 'ok', detail: t('this workspace is trusted') }
      : {
          name: 'trust',
          status: 'warning',
          detail: t('Restricted Mode: sessions can be watched and reviewed, not started'),
          fix: { kind: 'command', title: t('Manage Workspace Trust'), command: 'workbench.trust.manage' },
        },
  ];
}

function withFix(check: Check, platform: string): Finding {
  const fix = check.status === 'ok' ? undefined : fixFor(check.name, platform);
  return fix ? { ...check, fix } : check;
}

function fixFor(name: string, platform: string): Fix | undefined {
  if (name === 'model key') {
    return { kind: 'command', title: t('Set API Key…'), command: 'sandpiper.setModelKey' };
  }
  const text = name.startsWith('agent ')
    ? installCommand('agent_missing', platform)
    : name === 'sandbox local'
      ? installCommand('sandbox_unavailable', platform)
      : undefined;
  return text === undefined ? undefined : { kind: 'copy', title: t('Copy Install Command'), text };
}

/** The report as text, for an issue or a colleague. It names no key, and no folder but the relay's data folder. */
export function reportText(findings: readonly Finding[], { version, editor, platform }: Surroundings): string {
  const marks = { ok: 'ok     ', warning: 'warning', failed: 'failed ' };
  return [
    t('Sandpiper {0}, VS Code {1}, {2}', version, editor, platform),
    ...findings.flatMap(({ status, name, detail, hint }) => [
      `${marks[status]} ${name}: ${detail}`,
      ...(hint === undefined || status === 'ok' ? [] : [`        ${hint}`]),
    ]),
  ].join('\n');
}
