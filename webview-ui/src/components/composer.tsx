import type { JSX } from 'preact';
import type { SessionState } from '../../../protocol/session.ts';
import { whatToStop } from '../../../protocol/stopping.ts';
import { usePage } from '../page.ts';
import { Icon } from './icon.tsx';
import { MessageField } from './messageField.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';

/** Where the next message is written. While the agent works it is queued, and says so. */
export function Composer({ session }: { session: SessionState }): JSX.Element {
  const { host, drafts, outbox } = usePage();
  const stop = useAction();
  const { kind } = session.phase;
  const stoppable = whatToStop(session) !== undefined;
  const busy = stoppable || kind === 'checkpointing';
  const draft = drafts.get(session.id);
  const submit = (): void => {
    const text = draft.trim();
    if (text !== '' && !session.archived) {
      drafts.set(session.id, '');
      void outbox.send(session.id, text);
    }
  };
  return (
    <form
      class="composer"
      onSubmit={event => {
        event.preventDefault();
        submit();
      }}
    >
      <div class="field">
        <MessageField
          draftId={session.id}
          label="Message to the agent"
          placeholder={busy ? 'Add a follow-up' : 'Reply to the agent'}
          rows={1}
          onSubmit={submit}
        />
        <div class="fieldFoot">
          <span class="hint" aria-live="polite">
            {busy && draft.trim() !== '' ? 'Queued until this turn ends' : ''}
          </span>
          {stoppable ? (
            <button
              type="button"
              class="secondary stop"
              disabled={stop.busy || kind === 'stopping'}
              title="Stop; the work so far is kept"
              onClick={() => stop.run(() => host.request('stop', { sessionId: session.id }))}
            >
              <Icon name="stop" /> {kind === 'stopping' ? 'Stopping' : 'Stop'}
            </button>
          ) : null}
          <button
            type="submit"
            class="primary send"
            disabled={draft.trim() === '' || session.archived}
            title={busy ? 'Queue (Enter)' : 'Send (Enter)'}
          >
            <Icon name="send" />
            <span>{busy ? 'Queue' : 'Send'}</span>
          </button>
        </div>
      </div>
      <Problem error={stop.error} />
    </form>
  );
}
