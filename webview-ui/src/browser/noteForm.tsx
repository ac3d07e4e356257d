import type { JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { t } from '../../../protocol/text.ts';

export interface NoteFormProps {
  label: string;
  confirm: string;
  text?: string;
  maxLength: number;
  /** Nothing is said with it when absent: then it must have words. */
  optional?: boolean;
  busy: boolean;
  onSave: (text: string) => void;
  onCancel: () => void;
}

/** Words of the reviewer, where they belong. Ctrl or Cmd with Enter saves, Escape leaves everything as it was. */
export function NoteForm(props: NoteFormProps): JSX.Element {
  const { label, confirm, maxLength, optional = false, busy, onSave, onCancel } = props;
  const [text, setText] = useState(props.text ?? '');
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  useEffect(() => field.current?.focus(), []);
  const words = text.trim();
  const canSave = !busy && (optional || words !== '');
  return (
    <form
      class="noteForm"
      onSubmit={event => {
        event.preventDefault();
        if (canSave) {
          onSave(words);
        }
      }}
      onKeyDown={event => {
        if (event.key === 'Escape' && !event.isComposing) {
          event.stopPropagation();
          onCancel();
        } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && canSave) {
          event.preventDefault();
          onSave(words);
        }
      }}
    >
      <label for={id}>{label}</label>
      <textarea
        id={id}
        ref={field}
        rows={3}
        maxLength={maxLength}
        value={text}
        onInput={event => setText(event.currentTarget.value)}
      />
      <div class="actions">
        <button type="submit" class="primary" disabled={!canSave}>
          {confirm}
        </button>
        <button type="button" class="secondary" onClick={onCancel}>
          {t('Cancel')}
        </button>
      </div>
    </form>
  );
}
