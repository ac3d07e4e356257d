import type { JSX } from 'preact';
import { usePage } from '../page.ts';
import { Icon } from './icon.tsx';

/** Says that the relay cannot be reached, and that this loses nothing. Absent while all is well. */
export function ConnectionBanner(): JSX.Element | null {
  const { host, model } = usePage();
  const { state, detail } = model.connection.value;
  if (state === 'connected' || (state === 'connecting' && detail === undefined)) {
    return null;
  }
  const refused = state === 'refused';
  return (
    <div class={`banner ${refused ? 'error' : 'warning'}`} role="status">
      <Icon name={refused ? 'error' : 'warning'} />
      <span>
        <strong>{refused ? 'The relay refuses this connection.' : 'Reconnecting… Nothing is lost.'}</strong>{' '}
        {detail ?? (refused ? '' : 'The relay goes on working; what you send now goes out afterwards.')}
      </span>
      {host.kind === 'vscode' ? (
        <button type="button" class="link" onClick={() => void host.request('showLog', {}).catch(() => undefined)}>
          Show Log
        </button>
      ) : null}
    </div>
  );
}
