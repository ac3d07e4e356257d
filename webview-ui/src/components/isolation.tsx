import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Isolation as IsolationKind } from '../../../protocol/events.ts';
import type { DraftContext } from '../../../protocol/webviewApi.ts';
import { Icon } from './icon.tsx';
import { t } from '../../../protocol/text.ts';

export type Consent = Signal<boolean>;

const meanings = (): Record<Exclude<IsolationKind, 'none'>, string> => ({
  process: t('Runs in a process sandbox: only its own clone is writable, no network but the model.'),
  container: t('Runs in a container of its own.'),
  vm: t('Runs in a virtual machine of its own.'),
});

export interface IsolationProps {
  context: DraftContext;
  consent: Consent;
}

/** How the agent is kept apart from this machine; where nothing does that, the consent it takes. */
export function Isolation({ context, consent }: IsolationProps): JSX.Element | null {
  if (context.needsConsent) {
    return (
      <div class="notice warning isolation">
        <Icon name="warning" class="attention" />
        <div>
          <p>
            <strong>{t('Nothing isolates the agent on this machine.')}</strong>{' '}
            {t('It runs as you: it can read and change what you can, and use your network.')}
          </p>
          <label class="option">
            <input
              type="checkbox"
              checked={consent.value}
              onChange={event => {
                consent.value = event.currentTarget.checked;
              }}
            />
            <span>{t('Run this session without isolation')}</span>
          </label>
        </div>
      </div>
    );
  }
  const isolation = context.providers.find(provider => provider.available && provider.isolation !== 'none')?.isolation;
  return isolation === undefined || isolation === 'none' ? null : (
    <p class="isolationLine">
      <Icon name="shield" class="good" />
      <span>{meanings()[isolation]}</span>
    </p>
  );
}
