import type { JSX } from 'preact';
import { usePage } from '../page.ts';
import type { OutgoingAnswer } from '../state/outbox.ts';
import { decisionText } from '../text/decisionText.ts';
import { Icon } from './icon.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';
import { VisibleText } from './visibleText.tsx';
import { t } from '../../../protocol/text.ts';

/** An answer that the relay does not have yet, in the place of the buttons. */
export function GivenAnswer({ answer }: { answer: OutgoingAnswer }): JSX.Element {
  const { outbox, model } = usePage();
  const action = useAction();
  const offline = model.connection.value.state !== 'connected';
  return (
    <>
      <p class="givenAnswer" role="status">
        <Icon name="clock" />
        <span>
          {`${offline ? t('Kept until the relay is back:') : t('Sending:')} `}
          <strong>
            <VisibleText text={decisionText(answer.decision)} />
          </strong>
        </span>
      </p>
      {offline && answer.state === 'waiting' ? (
        <div class="actions">
          <button
            type="button"
            class="secondary"
            disabled={action.busy}
            onClick={() => action.run(() => outbox.takeBack(answer))}
          >
            {t('Take Back')}
          </button>
        </div>
      ) : null}
      <Problem error={action.error} />
    </>
  );
}
