import type { JSX } from 'preact';
import { usePage } from '../page.ts';
import type { Action } from './useAction.ts';

/** Has the session go on: the one call behind Recover and Try Again. */
export function RetryButton(props: {
  sessionId: string;
  action: Action;
  label: string;
  busyLabel: string;
}): JSX.Element {
  const { host } = usePage();
  const { sessionId, action, label, busyLabel } = props;
  return (
    <button
      type="button"
      class="primary"
      disabled={action.busy}
      onClick={() => action.run(() => host.request('retry', { sessionId }))}
    >
      {action.busy ? busyLabel : label}
    </button>
  );
}
