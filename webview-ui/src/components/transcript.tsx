import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { grouped } from '../state/groups.ts';
import { toRows } from '../state/transcript.ts';
import { Earlier } from './earlier.tsx';
import { Icon } from './icon.tsx';
import { TranscriptRows } from './transcriptRows.tsx';
import { useFollowEnd } from './useFollowEnd.ts';
import { useShownRow } from './useShownRow.ts';
import { useWindow } from './useWindow.ts';
import { t } from '../../../protocol/text.ts';

/** Everything that happened, the newest at the end. Only a window of it is in the document. */
export function Transcript({ session }: { session: SessionState }): JSX.Element {
  const { model, drafts } = usePage();
  const follow = useFollowEnd(session.id);
  const focus = drafts.focus.value;
  const older = model.olderItems.value?.items;
  const rows = useMemo(() => toRows(older ? [...older, ...session.items] : session.items), [older, session.items]);
  const entries = useMemo(() => grouped(rows, focus), [rows, focus]);
  const window = useWindow({ entries, older, focus, following: follow.following.value });
  useShownRow(
    session,
    { rows, entries },
    {
      scroller: follow.scroller,
      onFound: index => {
        follow.following.value = false;
        window.show(index);
      },
    },
  );
  return (
    <div class="transcript">
      <div class="scroller" ref={follow.scroller} tabIndex={0} role="region" aria-label={t('Transcript')}>
        <div class="column" ref={follow.content}>
          <Earlier
            session={session}
            hidden={window.start}
            omitted={older ? 0 : session.omittedItems}
            onShow={() => {
              follow.keepPlace();
              follow.following.value = false;
              window.showEarlier();
            }}
          />
          <div role="log" aria-live="off" aria-label={t('Session')} aria-busy={session.phase.kind === 'working'}>
            <TranscriptRows session={session} rows={rows} entries={entries.slice(window.start)} />
          </div>
        </div>
      </div>
      {follow.following.value ? null : (
        <button
          type="button"
          class="jump"
          onClick={() => {
            follow.jump();
            window.toEnd();
          }}
        >
          <Icon name="arrowDown" /> {t('Jump to latest')}
        </button>
      )}
    </div>
  );
}
