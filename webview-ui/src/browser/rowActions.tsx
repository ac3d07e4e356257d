import type { JSX } from 'preact';
import { askLine } from '../../../protocol/asking.ts';
import type { Ask, SessionSummary } from '../../../protocol/session.ts';
import { t, told } from '../../../protocol/text.ts';
import { GivenAnswer } from '../components/givenAnswer.tsx';
import { Problem } from '../components/problem.tsx';
import { useAction } from '../components/useAction.ts';
import { useArmed } from '../components/useArmed.ts';
import { VisibleText } from '../components/visibleText.tsx';
import { usePage } from '../page.ts';

export interface RowProps {
  session: SessionSummary;
  /** Changes whenever a row moves: what is pressed then is not what was aimed at. */
  arrangement: string;
  onSelect: (sessionId: string) => void;
}

/** What a person can do with a session without opening it. */
export function RowActions({ session }: Pick<RowProps, 'session'>): JSX.Element {
  const { host } = usePage();
  const action = useAction();
  const { id, title, pinned = false, phase } = session;
  return (
    <div class="rowActions">
      {['preparing', 'working'].includes(phase) ? (
        <button
          type="button"
          class="link"
          disabled={action.busy}
          aria-label={t('Stop “{0}”', title)}
          onClick={() => action.run(() => host.request('stop', { sessionId: id }))}
        >
          {t('Stop')}
        </button>
      ) : null}
      <button
        type="button"
        class={pinned ? 'link stays' : 'link'}
        disabled={action.busy}
        aria-label={pinned ? t('Unpin “{0}”', title) : t('Pin “{0}”', title)}
        onClick={() => action.run(() => host.request('pinSession', { sessionId: id, pinned: !pinned }))}
      >
        {pinned ? t('Unpin') : t('Pin')}
      </button>
      <Problem error={action.error} />
    </div>
  );
}

/** What an agent asks, how much a person should look before they allow it, and the answer where all of it is in sight. */
export function AskLine({ session, ask, arrangement, onSelect }: RowProps & { ask: Ask }): JSX.Element {
  const { outbox } = usePage();
  const action = useAction();
  const armed = useArmed(arrangement);
  const { risk, why } = ask;
  const given = outbox.answerTo(session.id, ask.id);
  const answer = (kind: 'allow' | 'deny'): void => action.run(() => outbox.answer(session.id, ask.id, { kind }));
  return (
    <div class="sessionAsk" role="group" aria-label={t('“{0}” asks', session.title)}>
      <span class="askText">
        <VisibleText text={askLine(ask)} />
      </span>
      {risk === undefined ? null : (
        <span class={`risk ${risk}`}>
          {why === undefined ? t('{0} risk', told(risk)) : t('{0} risk: {1}', told(risk), told(why))}
        </span>
      )}
      {given ? (
        <GivenAnswer answer={given} />
      ) : (
        <div class="rowActions">
          {ask.whole === true ? (
            <button type="button" class="link" disabled={action.busy || !armed} onClick={() => answer('allow')}>
              {t('Allow')}
            </button>
          ) : (
            <button type="button" class="link" onClick={() => onSelect(session.id)}>
              {t('Answer…')}
            </button>
          )}
          {ask.kind === 'tool' ? (
            <button type="button" class="link" disabled={action.busy || !armed} onClick={() => answer('deny')}>
              {t('Deny')}
            </button>
          ) : null}
        </div>
      )}
      <Problem error={action.error} />
    </div>
  );
}
