import type { JSX } from 'preact';
import { usePage } from '../page.ts';
import type { Outgoing } from '../state/outbox.ts';
import { Icon } from './icon.tsx';
import { Problem } from './problem.tsx';

/** A message that the relay does not have yet. It stays until it has, or until the user takes it back. */
export function OutgoingMessage({ message }: { message: Outgoing }): JSX.Element {
  const { outbox, drafts, model } = usePage();
  const { localId, sessionId, text, error } = message;
  const retry = (): void => {
    outbox.remove(localId);
    void outbox.send(sessionId, text);
  };
  const takeBack = (): void => {
    outbox.remove(localId);
    const draft = drafts.get(sessionId);
    drafts.set(sessionId, draft === '' ? text : `${text}\n\n${draft}`);
  };
  const offline = model.connection.value.state !== 'connected';
  return (
    <div class={`message outgoing ${error ? 'unsent' : ''}`}>
      <div class="messageText">{text}</div>
      {error ? (
        <>
          <Problem error={error} />
          <div class="actions">
            <button type="button" class="secondary" onClick={retry}>
              Send Again
            </button>
            <button type="button" class="secondary" onClick={takeBack}>
              Edit
            </button>
          </div>
        </>
      ) : (
        <div class="messageFoot">
          <span class="delivery">
            <Icon name="clock" />
            {offline ? 'Goes out when connected' : 'Sending'}
          </span>
        </div>
      )}
    </div>
  );
}
