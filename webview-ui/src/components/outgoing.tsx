import type { JSX } from 'preact';
import { usePage } from '../page.ts';
import type { Outgoing } from '../state/outbox.ts';
import { Icon } from './icon.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';
import { t } from '../../../protocol/text.ts';

/** A message that the relay does not have yet. It stays until it has, or until the user takes it back. */
export function OutgoingMessage({ message }: { message: Outgoing }): JSX.Element {
  const { outbox, drafts, model } = usePage();
  const { sessionId, text, error, state } = message;
  const action = useAction();
  const takeBack = async (): Promise<void> => {
    await outbox.takeBack(message);
    drafts.addImages(sessionId, message.images);
    const draft = drafts.get(sessionId);
    drafts.set(sessionId, draft === '' ? text : `${text}\n\n${draft}`);
  };
  const offline = model.connection.value.state !== 'connected';
  const editButton = (
    <button type="button" class="secondary" disabled={action.busy} onClick={() => action.run(takeBack)}>
      {t('Edit')}
    </button>
  );
  return (
    <div class={`message outgoing ${error ? 'unsent' : ''}`}>
      <div class="messageText">{text}</div>
      {error ? (
        <>
          <Problem error={error} />
          <div class="actions">
            <button
              type="button"
              class="secondary"
              disabled={action.busy}
              onClick={() => action.run(() => outbox.sendAgain(message))}
            >
              {t('Send Again')}
            </button>
            {editButton}
          </div>
        </>
      ) : (
        <div class="messageFoot">
          <span class="delivery">
            <Icon name="clock" />
            {offline ? t('Waiting for the relay') : t('Sending')}
          </span>
          {offline && state === 'waiting' ? editButton : null}
        </div>
      )}
      <Problem error={action.error} />
    </div>
  );
}
