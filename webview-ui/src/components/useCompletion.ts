import type { RefObject } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { usePage } from '../page.ts';
import { completed, triggerAt, type Trigger } from '../state/completion.ts';

export interface CompletionState {
  /** The word that a list is shown for. */
  trigger: Trigger | undefined;
  /** Id of the chosen option, while there is a list. */
  active: string | undefined;
  setActive: (optionId: string | undefined) => void;
  /** The list takes keys from the field as long as it has something to offer. */
  keys: { current: ((key: string) => boolean) | undefined };
  /** After the text or the cursor changed. */
  look: (field: HTMLTextAreaElement) => void;
  /** Closes the list until another word begins. */
  close: () => void;
  leave: () => void;
  choose: (insert: string) => void;
}

/** Which word of a field is being completed, and what becomes of it. */
export function useCompletion(field: RefObject<HTMLTextAreaElement | null>, draftId: string): CompletionState {
  const { drafts } = usePage();
  const keys = useRef<((key: string) => boolean) | undefined>(undefined);
  const [trigger, setTrigger] = useState<Trigger | undefined>(undefined);
  const [active, setActive] = useState<string | undefined>(undefined);
  const closed = useRef<number | undefined>(undefined);
  return {
    trigger,
    active,
    setActive,
    keys,
    look: ({ value, selectionStart, selectionEnd }) => {
      const found = selectionStart === selectionEnd ? triggerAt(value, selectionStart) : undefined;
      if (found?.from !== closed.current) {
        closed.current = undefined;
      }
      setTrigger(closed.current === undefined ? found : undefined);
    },
    close: () => {
      closed.current = trigger?.from;
      setTrigger(undefined);
    },
    leave: () => setTrigger(undefined),
    choose: insert => {
      const { current } = field;
      if (!current || !trigger) {
        return;
      }
      const next = completed(current.value, trigger, insert);
      setTrigger(undefined);
      drafts.set(draftId, next.text);
      // Before the page draws again: the cursor would else jump to the end.
      current.value = next.text;
      current.setSelectionRange(next.cursor, next.cursor);
      current.focus();
    },
  };
}
