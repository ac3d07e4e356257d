import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import type { MessageWay } from '../../../protocol/composing.ts';
import { usePage } from '../page.ts';
import { recall } from '../state/recall.ts';
import { Completion } from './lazyParts.tsx';
import { useCompletion } from './useCompletion.ts';

/** Keys that move the cursor without a change of the text. */
const MOVES: ReadonlySet<string> = new Set(['ArrowLeft', 'ArrowRight', 'Home', 'End']);

export interface MessageFieldProps {
  /** Whose files and commands are offered; absent before there is a session. */
  sessionId?: string;
  /** Which draft this edits. */
  draftId: string;
  label: string;
  placeholder: string;
  rows: number;
  /** What can be recalled with the arrow keys in an empty field, the newest first. */
  history?: readonly string[];
  /** `way` is there when a key said it. */
  onSubmit: (way?: MessageWay) => void;
}

/** Where a message is written. Enter sends, Shift+Enter makes a line; Enter that ends an input method's word does not send. */
export function MessageField({
  sessionId,
  draftId,
  label,
  placeholder,
  rows,
  history,
  onSubmit,
}: MessageFieldProps): JSX.Element {
  const { drafts, model } = usePage();
  const field = useRef<HTMLTextAreaElement>(null);
  const { text, count } = model.compose.value;
  const answered = useRef(0);
  useEffect(() => {
    if (count === answered.current) {
      return;
    }
    answered.current = count;
    if (text !== '') {
      const draft = drafts.get(draftId);
      drafts.set(draftId, draft === '' ? text : `${draft}\n${text}`);
    }
    field.current?.focus();
  }, [count]);
  const listId = useId();
  const completion = useCompletion(field, draftId);
  const { trigger, active, look } = completion;
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.isComposing) {
      return;
    }
    const modified = event.shiftKey || event.altKey || event.ctrlKey || event.metaKey;
    if (!modified && completion.keys.current?.(event.key) === true) {
      event.preventDefault();
      return;
    }
    if (event.key === 'Enter' && !event.altKey) {
      const way = wayOf(event);
      if (way !== 'line') {
        event.preventDefault();
        onSubmit(way);
      }
      return;
    }
    const { selectionStart, selectionEnd, value } = event.currentTarget;
    if (!modified && selectionStart === selectionEnd && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      const recalled = recall(history ?? [], value, selectionStart, event.key);
      if (recalled !== undefined) {
        event.preventDefault();
        drafts.set(draftId, recalled);
      }
    }
  };
  return (
    <>
      {trigger ? (
        <Completion
          sessionId={sessionId}
          trigger={trigger}
          listId={listId}
          keys={completion.keys}
          onActive={completion.setActive}
          onChoose={completion.choose}
          onClose={completion.close}
        />
      ) : null}
      <textarea
        ref={field}
        rows={rows}
        aria-label={label}
        placeholder={placeholder}
        value={drafts.get(draftId)}
        maxLength={1_000_000}
        // A field of several lines is a textbox to a screen reader, which has no `aria-expanded`; the list is announced.
        aria-autocomplete="list"
        aria-haspopup="listbox"
        {...(active === undefined ? {} : { 'aria-controls': listId, 'aria-activedescendant': active })}
        onInput={event => {
          drafts.set(draftId, event.currentTarget.value);
          look(event.currentTarget);
        }}
        onKeyDown={onKeyDown}
        onClick={event => look(event.currentTarget)}
        onKeyUp={event => (MOVES.has(event.key) ? look(event.currentTarget) : undefined)}
        onBlur={completion.leave}
      />
    </>
  );
}

/** Enter as it is chosen below the field, with Ctrl or Command into the turn, with Shift as well in its place. */
function wayOf({
  shiftKey,
  ctrlKey,
  metaKey,
}: TargetedKeyboardEvent<HTMLTextAreaElement>): MessageWay | 'line' | undefined {
  if (ctrlKey || metaKey) {
    return shiftKey ? 'interrupt' : 'steer';
  }
  return shiftKey ? 'line' : undefined;
}
