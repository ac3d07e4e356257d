import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { TurnAction } from '../../../protocol/webviewApi.ts';
import { usePage } from '../page.ts';
import { Icon } from './icon.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';
import { t } from '../../../protocol/text.ts';

const allEntries = (): readonly { action: TurnAction; label: string; editorOnly?: boolean }[] => [
  { action: 'restore', label: t('Restore…') },
  { action: 'branch', label: t('Branch from Here') },
  { action: 'compare', label: t('Compare…'), editorOnly: true },
  { action: 'openFiles', label: t('Open Files…'), editorOnly: true },
];

/** Near the top of the page the menu opens downwards. */
const ROOM_ABOVE_PX = 180;

/** What can be done with a turn that is over. A menu button as the ARIA practices have it: arrows, Home, End, Escape. */
export function TurnMenu({ sessionId, turn }: { sessionId: string; turn: number }): JSX.Element {
  const { host } = usePage();
  const action = useAction();
  const [open, setOpen] = useState(false);
  const [below, setBelow] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const entries = allEntries().filter(({ editorOnly }) => editorOnly !== true || host.kind === 'vscode');
  useEffect(() => {
    if (open) {
      menu.current?.querySelector('button')?.focus();
    }
  }, [open]);
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  const choose = (chosen: TurnAction): void => {
    close();
    action.run(() => host.request('turnAction', { sessionId, turn, action: chosen }));
  };
  return (
    <div
      class="turnMenu"
      onFocusOut={event => {
        if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) {
          setOpen(false);
        }
      }}
    >
      <button
        type="button"
        class="iconButton"
        ref={button}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={t('Actions for turn {0}', turn)}
        title={t('Actions for turn {0}', turn)}
        disabled={action.busy}
        onClick={event => {
          setBelow(event.currentTarget.getBoundingClientRect().top < ROOM_ABOVE_PX);
          setOpen(!open);
        }}
      >
        <Icon name="more" />
      </button>
      {open ? (
        <div
          class={below ? 'menu below' : 'menu'}
          role="menu"
          ref={menu}
          aria-label={t('Actions for turn {0}', turn)}
          onKeyDown={event => moveFocus(event, close)}
        >
          {entries.map(entry => (
            <button key={entry.action} type="button" role="menuitem" tabIndex={-1} onClick={() => choose(entry.action)}>
              {entry.label}
            </button>
          ))}
        </div>
      ) : null}
      <Problem error={action.error} />
    </div>
  );
}

function moveFocus(event: TargetedKeyboardEvent<HTMLDivElement>, close: () => void): void {
  const items = [...event.currentTarget.querySelectorAll('button')];
  const at = items.findIndex(item => item === document.activeElement);
  const to: Record<string, number> = {
    ArrowDown: (at + 1) % items.length,
    ArrowUp: (at + items.length - 1) % items.length,
    Home: 0,
    End: items.length - 1,
  };
  const next = to[event.key];
  if (event.key === 'Escape') {
    event.preventDefault();
    close();
  } else if (next !== undefined) {
    event.preventDefault();
    items[next]?.focus();
  }
}
