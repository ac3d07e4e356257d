import type { JSX } from 'preact';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { Hint } from './hint.tsx';
import { Icon } from './icon.tsx';
import { ModelKeyButton } from './modelKeyButton.tsx';
import { Problem } from './problem.tsx';
import { RetryButton } from './retryButton.tsx';
import { useAction } from './useAction.ts';
import { t } from '../../../protocol/text.ts';

/** Why the session cannot go on, and what to do about it. */
export function BlockedCard({ session }: { session: SessionState }): JSX.Element | null {
  const { host } = usePage();
  const action = useAction();
  const { phase } = session;
  if (phase.kind !== 'blocked') {
    return null;
  }
  const { failure } = phase;
  return (
    <section class="blocked" aria-label={t('The session is blocked')}>
      <div class="notice error">
        <Icon name="error" class="bad" />
        <div>
          <p>{failure.message}</p>
          {failure.hint === undefined ? null : (
            <p class="hint">
              <Hint text={failure.hint} />
            </p>
          )}
          <div class="actions">
            <RetryButton sessionId={session.id} action={action} label={t('Try Again')} busyLabel={t('Trying…')} />
            {failure.code.startsWith('model_key') ? <ModelKeyButton /> : null}
            {host.kind === 'vscode' ? (
              <button
                type="button"
                class="secondary"
                onClick={() => void host.request('showLog', {}).catch(() => undefined)}
              >
                {t('Show Log')}
              </button>
            ) : null}
          </div>
          <Problem error={action.error} />
        </div>
      </div>
    </section>
  );
}
