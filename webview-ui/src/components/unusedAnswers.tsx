import type { JSX } from 'preact';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import type { OutgoingAnswer } from '../state/outbox.ts';
import { decisionText } from '../text/decisionText.ts';
import { Icon } from './icon.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';
import { VisibleText } from './visibleText.tsx';
import { t } from '../../../protocol/text.ts';

/** Answers that were given while the relay was away and came too late. They stay until the person has seen them. */
export function UnusedAnswers({ session }: { session: SessionState }): JSX.Element | null {
  const { outbox } = usePage();
  const unused = outbox.answers.value.filter(answer => answer.sessionId === session.id && answer.state === 'refused');
  return unused.length === 0 ? null : (
    <>
      {unused.map(answer => (
        <UnusedAnswer key={answer.key} session={session} answer={answer} />
      ))}
    </>
  );
}

function UnusedAnswer({ session, answer }: { session: SessionState; answer: OutgoingAnswer }): JSX.Element {
  const { outbox } = usePage();
  const action = useAction();
  const asked = [...session.answered, ...session.approvals].find(({ id }) => id === answer.approvalId);
  return (
    <section class="unusedAnswer" aria-label={t('An answer that was not used')}>
      <Icon name="info" />
      <div>
        <p>
          {t('Your answer')} <strong>{<VisibleText text={decisionText(answer.decision)} />}</strong>
          {asked ? (
            <>
              {` ${t('to##question')} `}
              <VisibleText text={asked.title} />
            </>
          ) : null}
          {` ${t('was not used.')} `}
          <VisibleText text={whatHappened(session, answer)} />
        </p>
        <div class="actions">
          <button
            type="button"
            class="secondary"
            disabled={action.busy}
            onClick={() => action.run(() => outbox.takeBack(answer))}
          >
            {t('OK')}
          </button>
        </div>
        <Problem error={action.error} />
      </div>
    </section>
  );
}

function whatHappened(session: SessionState, { approvalId, error }: OutgoingAnswer): string {
  const answered = session.answered.find(({ id }) => id === approvalId)?.answer;
  if (!answered) {
    return error?.message ?? '';
  }
  return 'withdrawn' in answered
    ? answered.withdrawn
    : t('It was answered elsewhere meanwhile: {0}.', decisionText(answered.decision));
}
