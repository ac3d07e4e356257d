import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { setAside } from '../../../protocol/checkpoints.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { readOlderItems } from '../state/olderItems.ts';
import { earlierStart, PAGE_ROWS, toRows, windowStart, type Row } from '../state/transcript.ts';
import { count } from '../text/format.ts';
import { Icon } from './icon.tsx';
import { OutgoingMessage } from './outgoing.tsx';
import { Problem } from './problem.tsx';
import type { LiveText } from '../state/liveText.ts';
import type { RowContent } from './transcriptItem.tsx';
import { TranscriptRow } from './transcriptRow.tsx';
import { useAction } from './useAction.ts';
import { useFollowEnd } from './useFollowEnd.ts';
import { useShownRow } from './useShownRow.ts';

/** What stands above a row that is brought into sight. */
const ROWS_ABOVE = 20;

/** Everything that happened, the newest at the end. Only a window of it is in the document. */
export function Transcript({ session }: { session: SessionState }): JSX.Element {
  const { model, outbox } = usePage();
  const follow = useFollowEnd(session.id);
  const older = model.olderItems.value?.items;
  const rows = useMemo(() => toRows(older ? [...older, ...session.items] : session.items), [older, session.items]);
  const live = model.live.value;
  const start = useRef(Math.max(0, rows.length - PAGE_ROWS));
  const [, redraw] = useState(0);
  start.current = windowStart(start.current, rows.length, follow.following.value);
  const aside = useMemo(() => setAside(session, 'conversation'), [session.turns, session.heads]);
  const isAside = (content: RowContent): boolean =>
    'turn' in content && content.turn !== undefined && aside.has(content.turn);
  const omitted = older ? 0 : session.omittedItems;
  const outgoing = outbox.messages.value.filter(
    message => message.sessionId === session.id && (message.seq === undefined || message.seq > session.seq),
  );
  useShownRow(session.id, rows, {
    scroller: follow.scroller,
    onFound: index => {
      follow.following.value = false;
      start.current = Math.min(start.current, Math.max(0, index - ROWS_ABOVE));
      redraw(value => value + 1);
    },
  });
  const jump = (): void => {
    start.current = Math.max(0, rows.length - PAGE_ROWS);
    follow.jump();
    redraw(value => value + 1);
  };
  const showEarlier = (): void => {
    follow.keepPlace();
    follow.following.value = false;
    start.current = earlierStart(start.current);
    redraw(value => value + 1);
  };
  return (
    <div class="transcript">
      <div class="scroller" ref={follow.scroller} tabIndex={0} role="region" aria-label="Transcript">
        <div class="column" ref={follow.content}>
          <Earlier
            session={session}
            hidden={start.current}
            omitted={omitted}
            onShow={showEarlier}
            onLoaded={added => {
              follow.keepPlace();
              follow.following.value = false;
              start.current = Math.max(0, start.current + added - PAGE_ROWS);
            }}
          />
          <div role="log" aria-live="off" aria-label="Session" aria-busy={session.phase.kind === 'working'}>
            <ol class="rows">
              {[
                ...withLive(rows.slice(start.current), live).map(({ content, steps }) => (
                  <li
                    key={content.id}
                    class={isAside(content) ? 'row aside' : 'row'}
                    data-row={content.id}
                    tabIndex={-1}
                  >
                    <TranscriptRow
                      sessionId={session.id}
                      content={content}
                      steps={steps}
                      answered={answerOf(session, content.id)}
                      aside={isAside(content)}
                    />
                  </li>
                )),
                ...outgoing.map(message => (
                  <li key={`out:${message.key}`} class="row">
                    <OutgoingMessage message={message} />
                  </li>
                )),
              ]}
            </ol>
          </div>
        </div>
      </div>
      {follow.following.value ? null : (
        <button type="button" class="jump" onClick={jump}>
          <Icon name="arrowDown" /> Jump to latest
        </button>
      )}
    </div>
  );
}

interface DrawnRow {
  content: RowContent;
  steps: readonly RowContent[];
}

/** The rows with what is being written, each where its finished item will stand. */
function withLive(rows: readonly Row[], live: readonly LiveText[]): DrawnRow[] {
  const written = live.map(text => ({ kind: 'live' as const, id: text.id, live: text }));
  const shown = new Set(rows.map(row => row.item.id));
  const drawn = rows.map(({ item, children }): DrawnRow => {
    const inside = item.kind === 'tool' ? written.filter(({ live: { parentToolId } }) => parentToolId === item.id) : [];
    return { content: item, steps: inside.length > 0 ? [...children, ...inside] : children };
  });
  const own = written.filter(({ live: { parentToolId } }) => parentToolId === undefined || !shown.has(parentToolId));
  return [...drawn, ...own.map(content => ({ content, steps: [] }))];
}

function answerOf(session: SessionState, toolId: string): SessionState['answered'][number] | undefined {
  return session.answered.findLast(approval => approval.toolId === toolId);
}

interface EarlierProps {
  session: SessionState;
  /** Rows that are here and not drawn. */
  hidden: number;
  /** Items that are only in the log. */
  omitted: number;
  onShow: () => void;
  onLoaded: (added: number) => void;
}

function Earlier({ session, hidden, omitted, onShow, onLoaded }: EarlierProps): JSX.Element | null {
  const { host, model } = usePage();
  const action = useAction();
  if (hidden === 0 && omitted === 0) {
    return null;
  }
  const load = async (): Promise<void> => {
    const items = await readOlderItems(host, session);
    onLoaded(toRows(items).length);
    model.olderItems.value = { sessionId: session.id, items };
  };
  return (
    <div class="earlier">
      <button
        type="button"
        class="secondary"
        disabled={action.busy}
        onClick={hidden > 0 ? onShow : () => action.run(load)}
      >
        {action.busy ? 'Reading the log…' : 'Show earlier'}
      </button>
      <span class="dim">{count(hidden + omitted, 'earlier entry', 'earlier entries')}</span>
      <Problem error={action.error} />
    </div>
  );
}
