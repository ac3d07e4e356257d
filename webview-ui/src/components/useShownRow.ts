import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { usePage } from '../page.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { seldom } from './lazyParts.tsx';
import { entryOf, type Entry } from '../state/groups.ts';
import { pathTo, type Row } from '../state/transcript.ts';

interface Options {
  scroller: RefObject<HTMLDivElement | null>;
  /** The entry is one of those that are here; called before its row is looked for in the document. */
  onFound: (index: number) => void;
}

/** What is folded is drawn a little later, for its code may have to be loaded; then the row around it must do. */
const MAX_FRAMES = 90;

/**
 * Brings the row that is asked for into sight, with all that it is folded into, once; it may come after it was asked for.
 * The focus goes to it, unless whoever asked wants to keep it.
 */
export function useShownRow(
  session: SessionState,
  { rows, entries }: { rows: readonly Row[]; entries: readonly Entry[] },
  { scroller, onFound }: Options,
): void {
  const { host, model } = usePage();
  const { id: sessionId } = session;
  const isOmitted = session.omittedItems > 0 && model.olderItems.value === undefined;
  const wanted = model.show.value;
  const reading = useRef(false);
  const found = useRef<{ path: readonly string[]; keepFocus: boolean } | undefined>(undefined);
  useLayoutEffect(() => {
    if (wanted?.sessionId !== sessionId) {
      return;
    }
    const path = pathTo(rows, wanted.itemId);
    const index = path?.[0] === undefined ? -1 : entryOf(entries, path[0]);
    if (!path && isOmitted) {
      // It may be older than what is here.
      if (!reading.current) {
        reading.current = true;
        const end = (): void => {
          reading.current = false;
        };
        seldom()
          .then(({ loadOlderItems }) => loadOlderItems(host, model, session))
          .then(end, () => {
            end();
            model.show.value = undefined;
          });
      }
      return;
    }
    if (path && index >= 0) {
      found.current = { path, keepFocus: wanted.keepFocus === true };
      model.show.value = undefined;
      model.revealed.value = new Set([...path, entries[index]?.id ?? '']);
      onFound(index);
    }
  }, [wanted, rows, entries, sessionId, isOmitted]);
  // The row is in the document with a drawing that follows.
  useLayoutEffect(() => {
    const now = found.current;
    if (!now) {
      return;
    }
    found.current = undefined;
    let frames = 0;
    const look = (): void => {
      const view = scroller.current;
      const exact = rowOf(view, now.path.at(-1));
      const outer = rowOf(view, now.path[0]);
      if (exact || (outer && frames >= MAX_FRAMES)) {
        bringUp(exact ?? outer, now.keepFocus);
      } else if (frames++ < MAX_FRAMES) {
        requestAnimationFrame(look);
      }
    };
    look();
  });
}

function rowOf(view: HTMLElement | null, id: string | undefined): HTMLElement | undefined {
  const row = id === undefined ? null : view?.querySelector(`[data-row="${CSS.escape(id)}"]`);
  return row instanceof HTMLElement ? row : undefined;
}

function bringUp(row: HTMLElement | undefined, keepFocus: boolean): void {
  row?.scrollIntoView({ block: 'center' });
  if (!keepFocus) {
    row?.focus({ preventScroll: true });
  }
}
