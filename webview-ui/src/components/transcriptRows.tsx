import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { setAside } from '../../../protocol/checkpoints.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import type { Entry } from '../state/groups.ts';
import type { LiveText } from '../state/liveText.ts';
import { messageAction } from '../state/messageActions.ts';
import { pathTo, type Row } from '../state/transcript.ts';
import { OutgoingMessage } from './outgoing.tsx';
import { TranscriptGroup } from './transcriptGroup.tsx';
import type { DrawnRow, RowContent } from './transcriptItem.tsx';
import { TranscriptRow } from './transcriptRow.tsx';

interface TranscriptRowsProps {
  session: SessionState;
  /** All that is here, also what is not drawn. */
  rows: readonly Row[];
  /** What is drawn. */
  entries: readonly Entry[];
}

/** The rows that are in the document, with what is being written and what has not left yet. */
export function TranscriptRows({ session, rows, entries }: TranscriptRowsProps): JSX.Element {
  const { model, outbox } = usePage();
  const live = model.live.value;
  const aside = useMemo(() => setAside(session, 'conversation'), [session.turns, session.heads]);
  const isAside = (content: RowContent): boolean =>
    'turn' in content && content.turn !== undefined && aside.has(content.turn);
  const outgoing = outbox.messages.value.filter(
    message => message.sessionId === session.id && (message.seq === undefined || message.seq > session.seq),
  );
  const drawRow = ({ content, steps }: DrawnRow): JSX.Element => (
    <li key={content.id} class={isAside(content) ? 'row aside' : 'row'} data-row={content.id} tabIndex={-1}>
      <TranscriptRow
        sessionId={session.id}
        content={content}
        steps={steps}
        answered={answerOf(session, content.id)}
        may={content.kind === 'live' ? undefined : messageAction(session, content)}
        aside={isAside(content)}
      />
    </li>
  );
  const drawEntry = (entry: Entry): JSX.Element =>
    entry.kind === 'row' ? (
      drawRow(withLive(entry.row, live))
    ) : (
      <li key={entry.id} class="row" data-row={entry.id} tabIndex={-1}>
        <TranscriptGroup id={entry.id} rows={entry.rows}>
          {row => drawRow(withLive(row, live))}
        </TranscriptGroup>
      </li>
    );
  return (
    <ol class="rows">
      {[
        ...entries.map(drawEntry),
        ...ownLive(rows, live).map(drawRow),
        ...outgoing.map(message => (
          <li key={`out:${message.key}`} class="row">
            <OutgoingMessage message={message} />
          </li>
        )),
      ]}
    </ol>
  );
}

/** A row with what is being written inside of it, where its finished item will stand. */
function withLive({ item, children }: Row, live: readonly LiveText[]): DrawnRow {
  const steps = children.map(child => withLive(child, live));
  const inside = item.kind === 'tool' ? live.filter(({ parentToolId }) => parentToolId === item.id) : [];
  return { content: item, steps: inside.length > 0 ? [...steps, ...inside.map(toDrawn)] : steps };
}

/** What is being written and stands in no other row. */
function ownLive(rows: readonly Row[], live: readonly LiveText[]): DrawnRow[] {
  return live
    .filter(({ parentToolId }) => parentToolId === undefined || pathTo(rows, parentToolId) === undefined)
    .map(toDrawn);
}

function toDrawn(live: LiveText): DrawnRow {
  return { content: { kind: 'live', id: live.id, live }, steps: [] };
}

function answerOf(session: SessionState, toolId: string): SessionState['answered'][number] | undefined {
  return session.answered.findLast(approval => approval.toolId === toolId);
}
