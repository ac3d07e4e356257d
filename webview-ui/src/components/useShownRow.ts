import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { usePage } from '../page.ts';
import type { Row } from '../state/transcript.ts';

interface Options {
  scroller: RefObject<HTMLDivElement | null>;
  /** The row is one of those that are here; called before it is looked for in the document. */
  onFound: (index: number) => void;
}

/** Brings the row that the host asks for into sight and puts the focus on it, once; it may come after it was asked for. */
export function useShownRow(sessionId: string, rows: readonly Row[], { scroller, onFound }: Options): void {
  const { model } = usePage();
  const wanted = model.show.value;
  const found = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    if (wanted?.sessionId !== sessionId) {
      return;
    }
    const { itemId } = wanted;
    const index = rows.findIndex(
      ({ item, children }) => item.id === itemId || children.some(({ id }) => id === itemId),
    );
    const row = rows[index];
    if (row) {
      found.current = row.item.id;
      model.show.value = undefined;
      onFound(index);
    }
  }, [wanted, rows, sessionId]);
  // The row is in the document with the drawing that follows.
  useLayoutEffect(() => {
    const id = found.current;
    const element = id === undefined ? undefined : scroller.current?.querySelector(`[data-row="${CSS.escape(id)}"]`);
    if (element instanceof HTMLElement) {
      found.current = undefined;
      element.scrollIntoView({ block: 'center' });
      element.focus({ preventScroll: true });
    }
  });
}
