import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { findText } from '../state/find.ts';
import { loadOlderItems } from '../state/olderItems.ts';
import { clearMarks, markMatch } from '../text/marks.ts';
import { Icon, type IconName } from './icon.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';
import { t } from '../../../protocol/text.ts';

/** The page is not searched at each key of a fast writer. */
const TYPING_MS = 120;

/** Finds text in the whole session, also in what is folded, not drawn or only in the log. */
export function FindBar({ session, onClose }: { session: SessionState; onClose: () => void }): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState('');
  const { query, found, at, move, reading, error } = useFound(session, typed);
  useEffect(() => field.current?.focus(), []);
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLInputElement>): void => {
    if (event.isComposing) {
      return;
    }
    if (event.key === 'Enter') {
      event.preventDefault();
      move(event.shiftKey ? 1 : -1);
    } else if (event.key === 'Escape') {
      event.preventDefault();
      onClose();
    }
  };
  const button = (label: string, title: string, icon: IconName, onClick: () => void, disabled = false): JSX.Element => (
    <button type="button" class="iconButton" aria-label={label} title={title} disabled={disabled} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
  const nothing = found.matches.length === 0;
  return (
    <div class="findBar" role="search">
      <input
        type="text"
        ref={field}
        aria-label={t('Find in this session')}
        placeholder={t('Find in this session')}
        spellcheck={false}
        maxLength={500}
        value={typed}
        onInput={event => setTyped(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <span class="findCount" role="status">
        {countText(query, found, at, reading)}
      </span>
      {button(t('Find earlier'), t('Earlier (Enter)'), 'arrowUp', () => move(-1), nothing)}
      {button(t('Find later'), t('Later (Shift+Enter)'), 'arrowDown', () => move(1), nothing)}
      {button(t('Close find'), t('Close (Escape)'), 'close', onClose)}
      {query !== '' && found.partly > 0 ? (
        <p class="note">
          {found.partly === 1
            ? t('{0} entry is so large that only the beginning was searched.', 1)
            : t('{0} entries are so large that only the beginning was searched.', found.partly)}
        </p>
      ) : null}
      <Problem error={error} />
    </div>
  );
}

interface FoundState {
  query: string;
  found: ReturnType<typeof findText>;
  /** Which of the matches is shown. */
  at: number | undefined;
  move: (by: number) => void;
  /** The log is being read. */
  reading: boolean;
  error: SandpiperError | undefined;
}

/** Where a text stands in the session, and the place that is shown. */
function useFound(session: SessionState, typed: string): FoundState {
  const { host, model } = usePage();
  const action = useAction();
  const [query, setQuery] = useState('');
  const [at, setAt] = useState<number | undefined>(undefined);
  const older = model.olderItems.value?.items;
  const missing = !older && session.omittedItems > 0;
  const found = useMemo(
    () => findText(older ? [...older, ...session.items] : session.items, query),
    [older, session.items, query],
  );
  const { matches } = found;
  const current = at === undefined ? undefined : matches[Math.min(at, matches.length - 1)];
  useEffect(() => {
    if (missing) {
      action.run(() => loadOlderItems(host, model, session));
    }
    return clearMarks;
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => {
      setQuery(typed);
      setAt(undefined);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  useEffect(() => {
    // The newest is what one was just reading.
    if (at === undefined && matches.length > 0) {
      setAt(matches.length - 1);
    }
  }, [matches, at]);
  useEffect(() => {
    if (!current) {
      clearMarks();
      return undefined;
    }
    model.show.value = { sessionId: session.id, itemId: current.itemId, keepFocus: true };
    return markMatch(current, query);
  }, [current?.itemId, current?.nth, query]);
  const move = (by: number): void => {
    if (matches.length > 0) {
      setAt(((at ?? 0) + by + matches.length) % matches.length);
    }
  };
  return { query, found, at, move, reading: missing && action.busy, error: action.error };
}

function countText(
  query: string,
  { matches, more }: ReturnType<typeof findText>,
  at: number | undefined,
  reading: boolean,
): string {
  if (reading) {
    return t('Reading the log…');
  }
  if (query === '') {
    return '';
  }
  if (matches.length === 0) {
    return t('Nothing found');
  }
  const shown = Math.min(at ?? matches.length - 1, matches.length - 1) + 1;
  return more ? t('{0} of {1} and more', shown, matches.length) : t('{0} of {1}', shown, matches.length);
}
