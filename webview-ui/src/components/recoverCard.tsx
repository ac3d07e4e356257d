import type { JSX } from 'preact';
import type { SessionState } from '../../../protocol/session.ts';
import { Icon } from './icon.tsx';
import { Problem } from './problem.tsx';
import { RetryButton } from './retryButton.tsx';
import { useAction } from './useAction.ts';
import { t } from '../../../protocol/text.ts';

/** An agent that is stuck, or a turn that was cut off: what is known of it, and the way on. */
export function RecoverCard({ session }: { session: SessionState }): JSX.Element | null {
  const action = useAction();
  const { stuck, interrupted, recovering, phase, archived } = session;
  const cut = phase.kind === 'idle' ? interrupted : undefined;
  const problem = stuck ?? cut;
  if (!problem || recovering || archived || phase.kind === 'blocked' || phase.kind === 'stopping') {
    return null;
  }
  return (
    <section class="blocked" aria-label={stuck ? t('The agent is stuck') : t('The turn was cut off')}>
      <div class="notice warning">
        <Icon name="warning" />
        <div>
          <p>{problem.cause}</p>
          <p class="hint">
            {stuck
              ? t('Recover ends the agent and resumes the same conversation. What it has changed so far is kept.')
              : `${t('Recover goes on with the turn in the same conversation.')}${
                  cut?.toolRan === true ? ` ${t('A command was running: what it did may be half done.')}` : ''
                }`}
          </p>
          <div class="actions">
            <RetryButton sessionId={session.id} action={action} label={t('Recover')} busyLabel={t('Recovering…')} />
          </div>
          <Problem error={action.error} />
        </div>
      </div>
    </section>
  );
}
