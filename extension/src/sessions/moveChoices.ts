import type { CallResult } from '../../../protocol/calls.ts';
import type { Isolation } from '../../../protocol/events.ts';
import { providerName } from '../../../protocol/providerName.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { t } from '../../../protocol/text.ts';

type Providers = CallResult<'relay.info'>['providers'];

export interface MoveChoice {
  label: string;
  description: string;
  detail?: string;
  provider: string;
  /** Whether a sandbox can be made there now. */
  ready: boolean;
  /** Nothing would isolate the agent there. */
  needsConsent: boolean;
}

/** Where a session can be moved to: every other provider of the relay, those that are ready first. No `vscode` here. */
export function moveChoices(providers: Providers, current: string): MoveChoice[] {
  const others = providers.filter(({ id }) => id !== current);
  return [...others.filter(({ available }) => available), ...others.filter(({ available }) => !available)].map(
    ({ id, available, isolation, reason }) => ({
      label: id === 'local' ? t('This Machine') : providerName(id),
      description: available ? isolationWords(isolation) : t('not ready'),
      ...(reason === undefined ? {} : { detail: reason }),
      provider: id,
      ready: available,
      needsConsent: available && isolation === 'none',
    }),
  );
}

function isolationWords(isolation: Isolation): string {
  switch (isolation) {
    case 'none':
      return t('no isolation');
    case 'process':
      return t('process sandbox');
    case 'container':
      return t('container');
    case 'vm':
      return t('virtual machine');
  }
}

/** Whether the agent must be stopped first: it works, waits for an answer, or has tasks in the background. */
export function mustStop({ phase, approvals, items }: SessionState): boolean {
  return (
    approvals.length > 0 ||
    ['working', 'stopping', 'checkpointing'].includes(phase.kind) ||
    items.some(item => item.kind === 'tool' && item.task?.state === 'running')
  );
}
