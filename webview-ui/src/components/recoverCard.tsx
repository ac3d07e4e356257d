import type { JSX } from 'preact';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { Icon } from './icon.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';

/** An agent that is stuck, or a turn that was cut off: what is known of it, and the way on. */
export function RecoverCard({ session }: { session: SessionState }): JSX.Element | null {
  const { host } = usePage();
  const action = useAction();
  const { stuck, interrupted, recovering, phase, archived } = session;
  const cut = phase.kind === 'idle' ? interrupted : undefined;
  const problem = stuck ?? cut;
  if (!problem || recovering || archived || phase.kind === 'blocked' || phase.kind === 'stopping') {
    return null;
  }
  return (
    <section class="blocked" aria-label={stuck ? 'The agent is stuck' : 'The turn was cut off'}>
      <div class="notice warning">
        <Icon name="warning" />
        <div>
          <p>{problem.cause}</p>
          <p class="hint">
            {stuck
              ? 'Recover ends the agent and resumes the same conversation. What it has changed so far is kept.'
              : `Recover goes on with the turn in the same conversation.${
                  cut?.toolRan === true ? ' A command was running: what it did may be half done.' : ''
                }`}
          </p>
          <div class="actions">
            <button
              type="button"
              class="primary"
              disabled={action.busy}
              onClick={() => action.run(() => host.request('retry', { sessionId: session.id }))}
            >
              {action.busy ? 'Recovering…' : 'Recover'}
            </button>
          </div>
          <Problem error={action.error} />
        </div>
      </div>
    </section>
  );
}
