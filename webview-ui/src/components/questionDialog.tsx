import type { JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { openQuestions, type OpenQuestion } from '../state/dialogs.ts';
import { VisibleText } from './visibleText.tsx';
import { t } from '../../../protocol/text.ts';

/** The first question that waits, in front of everything. Escape is no. */
export function QuestionDialog(): JSX.Element | null {
  const question = openQuestions.value[0];
  return question ? <Dialog key={question} question={question} /> : null;
}

function Dialog({ question }: { question: OpenQuestion }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const cancel = useRef<HTMLButtonElement>(null);
  const title = useId();
  const [value, setValue] = useState(question.choice?.options[0]?.[0] ?? '');
  useEffect(() => {
    dialog.current?.showModal();
    if (!question.secret) {
      // What leaves the page takes more than pressing Enter once more.
      cancel.current?.focus();
    }
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={title}
      onCancel={event => {
        event.preventDefault();
        question.answer(undefined);
      }}
    >
      <form
        onSubmit={event => {
          event.preventDefault();
          question.answer(value);
        }}
      >
        <h2 id={title}>{question.title}</h2>
        <p>{question.body}</p>
        {question.code === undefined ? null : (
          <pre class="plain" tabIndex={0}>
            <VisibleText text={question.code} />
          </pre>
        )}
        {question.choice ? (
          <label>
            <span>{question.choice.label}</span>
            <select value={value} onChange={event => setValue(event.currentTarget.value)}>
              {question.choice.options.map(([option, label]) => (
                <option key={option} value={option}>
                  {label}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        {question.secret ? (
          <label>
            <span>{question.secret.label}</span>
            <input
              type="password"
              autocomplete="off"
              value={value}
              onInput={event => setValue(event.currentTarget.value)}
            />
          </label>
        ) : null}
        <div class="actions">
          <button type="submit" class="primary" disabled={question.secret !== undefined && value.trim() === ''}>
            {question.confirm}
          </button>
          {question.instead === undefined ? null : (
            <button type="button" class="secondary" onClick={() => question.answer('instead')}>
              {question.instead}
            </button>
          )}
          <button type="button" class="secondary" ref={cancel} onClick={() => question.answer(undefined)}>
            {t('Cancel')}
          </button>
        </div>
      </form>
    </dialog>
  );
}
