import type { JSX } from 'preact';
import { headsOf, restoreToUndo, turnName } from '../../../protocol/checkpoints.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { Icon } from './icon.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';
import { t, told } from '../../../protocol/text.ts';

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
    <section class="restored" aria-label={t('Restored')}>
      <Icon name="clock" />
      <span>{restoredText(undone, told(turnName(turn)))}</span>
      <button
        type="button"
        class="secondary"
        disabled={action.busy}
        onClick={() => action.run(() => host.request('turnAction', { sessionId: session.id, turn, action: 'undo' }))}
      >
        {t('Undo Restore')}
      </button>
      <Problem error={action.error} />
    </section>
  );
}

function restoredText({ code, conversation }: { code: boolean; conversation: boolean }, turn: string): string {
  if (code && conversation) {
    return t('The code and conversation are at {0}. The next message goes on from there.', turn);
  }
  return code
    ? t('The code is at {0}. The next message goes on from there.', turn)
    : t('The conversation is at {0}. The next message goes on from there.', turn);
}
