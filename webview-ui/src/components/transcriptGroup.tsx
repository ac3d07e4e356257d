import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { usePage } from '../page.ts';
import { groupText } from '../state/groups.ts';
import type { Row } from '../state/transcript.ts';
import { Icon } from './icon.tsx';

interface TranscriptGroupProps {
  id: string;
  rows: readonly Row[];
  /** Draws one of them, as a list item. */
  children: (row: Row) => JSX.Element;
}

/** Several steps in one line; they are drawn when somebody opens it. */
export function TranscriptGroup({ id, rows, children }: TranscriptGroupProps): JSX.Element {
  const { model } = usePage();
  const [opened, setOpened] = useState(false);
  const revealed = model.revealed.value.has(id);
  return (
    <details class="group" open={revealed} onToggle={event => setOpened(event.currentTarget.open)}>
      <summary data-hold>
        <Icon name="chevron" class="twist" />
        <span>{groupText(rows)}</span>
      </summary>
      {opened || revealed ? <ol class="rows">{rows.map(children)}</ol> : null}
    </details>
  );
}
