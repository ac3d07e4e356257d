import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { usePage } from '../page.ts';

export interface MessageFieldProps {
  /** Which draft this edits. */
  draftId: string;
  label: string;
  placeholder: string;
  rows: number;
  onSubmit: () => void;
}

/** Where a message is written. Enter sends, Shift+Enter makes a line; Enter that ends an input method's word does not send. */
export function MessageField({ draftId, label, placeholder, rows, onSubmit }: MessageFieldProps): JSX.Element {
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
  return (
    <textarea
      ref={field}
      rows={rows}
      aria-label={label}
      placeholder={placeholder}
      value={drafts.get(draftId)}
      maxLength={1_000_000}
      onInput={event => drafts.set(draftId, event.currentTarget.value)}
      onKeyDown={event => {
        if (event.key === 'Enter' && !event.shiftKey && !event.altKey && !event.isComposing) {
          event.preventDefault();
          onSubmit();
        }
      }}
    />
  );
}
