import type { JSX } from 'preact';
import { headsOf, restoredParts, restoreToUndo, turnName } from '../../../protocol/checkpoints.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { Icon } from './icon.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';

/** After a restore, until a turn goes on from there: where the session stands, and the way back. */
export function RestoreCard({ session }: { session: SessionState }): JSX.Element | null {
  const { host } = usePage();
  const action = useAction();
  const undone = restoreToUndo(session);
  const isLast = undone !== undefined && session.restores?.at(-1)?.seq === undone.seq;
  if (!isLast || !session.heads || session.restoring || session.archived) {
    return null;
  }
  const heads = headsOf(session);
  const turn = undone.code ? heads.code : heads.conversation;
  return (
    <section class="restored" aria-label="Restored">
      <Icon name="clock" />
      <span>
        The {restoredParts(undone)} {undone.code && undone.conversation ? 'are' : 'is'} at {turnName(turn)}. The next
        message goes on from there.
      </span>
      <button
        type="button"
        class="secondary"
        disabled={action.busy}
        onClick={() => action.run(() => host.request('turnAction', { sessionId: session.id, turn, action: 'undo' }))}
      >
        Undo Restore
      </button>
      <Problem error={action.error} />
    </section>
  );
}
