import type { JSX } from 'preact';
import { retryText } from '../../../protocol/retryText.ts';
import { usePage } from '../page.ts';
import { clock } from '../state/clock.ts';
import { Icon } from './icon.tsx';
import { t } from '../../../protocol/text.ts';

/** Says that the relay cannot be reached, and that this loses nothing. Absent while all is well. */
export function ConnectionBanner(): JSX.Element | null {
  const { host, model } = usePage();
  const { state, detail, retryAt } = model.connection.value;
  if (state === 'connected' || (state === 'connecting' && detail === undefined)) {
    return null;
  }
  const refused = state === 'refused';
  const ask = (method: 'reconnect' | 'showLog') => () => void host.request(method, {}).catch(() => undefined);
  return (
    <div class={`banner ${refused ? 'error' : 'warning'}`}>
      <Icon name={refused ? 'error' : 'warning'} />
      <span>
        {refused ? null : (
          <strong aria-hidden="true">
            <RetryIn at={retryAt} />{' '}
          </strong>
        )}
        <span role="status">
          <strong>{refused ? t('The relay refuses this connection.') : t('Nothing is lost.')}</strong>{' '}
          {detail ?? (refused ? '' : t('The relay goes on working; what you send now goes out afterwards.'))}
        </span>
      </span>
      {refused && host.kind === 'browser' ? null : (
        <button type="button" class="link" onClick={ask('reconnect')}>
          {t('Retry Now')}
        </button>
      )}
      {host.kind === 'vscode' ? (
        <button type="button" class="link" onClick={ask('showLog')}>
          {t('Show Log')}
        </button>
      ) : null}
    </div>
  );
}

/** Apart, because it changes each second; and not read aloud for the same reason. */
function RetryIn({ at }: { at: number | undefined }): JSX.Element {
  // The clock of the page stands still between its seconds; this moment is later.
  const now = Math.max(clock.value, Date.now());
  return <>{retryText(at === undefined ? undefined : at - now)}</>;
}
