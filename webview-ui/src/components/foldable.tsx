import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { count, t } from '../../../protocol/text.ts';

export interface FoldableProps<T> {
  items: readonly T[];
  /** How many are shown at first. */
  preview: number;
  /** One of them, for the button: "Show all 40 lines". */
  noun: string;
  children: (items: readonly T[]) => ComponentChildren;
}

/** The beginning of something long, and a button for the rest. */
export function Foldable<T>({ items, preview, noun, children }: FoldableProps<T>): JSX.Element {
  const [open, setOpen] = useState(false);
  // A button that reveals one or two lines takes the place of those lines.
  const folds = items.length > preview + 2;
  return (
    <>
      {children(folds && !open ? items.slice(0, preview) : items)}
      {folds ? (
        <button type="button" class="link fold" data-hold aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? t('Show less') : t('Show all {0}', count(items.length, noun))}
        </button>
      ) : null}
    </>
  );
}
