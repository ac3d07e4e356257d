import type { JSX } from 'preact';
import { turnBefore, turnName } from '../../../protocol/checkpoints.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { endEdit } from '../state/editing.ts';
import { Icon } from './icon.tsx';
import { t, told } from '../../../protocol/text.ts';

/** What sending an edited message does, before it is done, and the way out. */
export function EditBanner({ session, turn }: { session: SessionState; turn: number }): JSX.Element {
  const { drafts } = usePage();
  const before = turnBefore(session.turns, turn);
  return (
    <p class="editBanner">
      <Icon name="edit" />
      <span>
        {t(
          'You edit the message of turn {0}. Sending it brings files and conversation back to {1}; what came after is set aside and can be restored.',
          turn,
          before === 0 ? told(turnName(0)) : t('the end of {0}', told(turnName(before))),
        )}
      </span>
      <button type="button" class="secondary" onClick={() => endEdit(drafts, session.id)}>
        {t('Cancel')}
      </button>
    </p>
  );
}
