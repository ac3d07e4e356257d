import type { JSX } from 'preact';
import type { SessionState } from '../../../protocol/session.ts';
import { Problem } from './problem.tsx';
import { RetryButton } from './retryButton.tsx';
import { TurnFailure } from './turnFailure.tsx';
import { useAction } from './useAction.ts';
import { t } from '../../../protocol/text.ts';

/** Why the session cannot go on, and what to do about it. */
export function BlockedCard({ session }: { session: SessionState }): JSX.Element | null {
  const action = useAction();
  const { phase } = session;
  if (phase.kind !== 'blocked') {
    return null;
  }
  return (
    <section class="blocked" aria-label={t('The session is blocked')}>
      <TurnFailure failure={phase.failure}>
        <RetryButton sessionId={session.id} action={action} label={t('Try Again')} busyLabel={t('Trying…')} />
      </TurnFailure>
      <Problem error={action.error} />
    </section>
  );
}
