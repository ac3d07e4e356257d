import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { ApprovalDecision, Question } from '../../../protocol/events.ts';
import { t } from '../../../protocol/text.ts';

export interface QuestionsProps {
  questions: readonly Question[];
  disabled: boolean;
  onAnswer: (decision: ApprovalDecision) => void;
}

interface Choice {
  labels: readonly string[];
  other: string;
}

const NOTHING: Choice = { labels: [], other: '' };

/** Questions with options; each also takes an answer in the user's own words. */
export function Questions({ questions, disabled, onAnswer }: QuestionsProps): JSX.Element {
  const [choices, setChoices] = useState<Record<string, Choice>>({});
  const choiceOf = (question: Question): Choice => choices[question.question] ?? NOTHING;
  const complete = questions.every(question => answerText(choiceOf(question)) !== '');
  const submit = (): void =>
    onAnswer({
      kind: 'answers',
      answers: Object.fromEntries(questions.map(question => [question.question, answerText(choiceOf(question))])),
    });
  return (
    <>
      {questions.map(question => (
        <QuestionField
          key={question.question}
          question={question}
          choice={choiceOf(question)}
          onChange={choice => setChoices(all => ({ ...all, [question.question]: choice }))}
        />
      ))}
      <div class="actions">
        <button type="button" class="primary" disabled={disabled || !complete} onClick={submit}>
          {t('Answer')}
        </button>
        <button type="button" class="secondary" disabled={disabled} onClick={() => onAnswer({ kind: 'deny' })}>
          {t('Skip')}
        </button>
      </div>
    </>
  );
}

interface FieldProps {
  question: Question;
  choice: Choice;
  onChange: (choice: Choice) => void;
}

function QuestionField({ question, choice, onChange }: FieldProps): JSX.Element {
  const name = useId();
  const many = question.multiSelect;
  const toggle = (label: string, on: boolean): void =>
    onChange(
      many
        ? { ...choice, labels: on ? [...choice.labels, label] : choice.labels.filter(other => other !== label) }
        : { labels: [label], other: '' },
    );
  return (
    <fieldset class="question">
      <legend>
        {question.header === undefined ? null : <span class="chip">{question.header}</span>} {question.question}
      </legend>
      {question.options.map(option => (
        <label key={option.label} class="option">
          <input
            type={many ? 'checkbox' : 'radio'}
            name={name}
            checked={choice.labels.includes(option.label)}
            onChange={event => toggle(option.label, event.currentTarget.checked)}
          />
          <span>
            {option.label}
            {option.description === undefined ? null : <span class="hint">{option.description}</span>}
          </span>
        </label>
      ))}
      <input
        type="text"
        class="reason"
        aria-label={t('Another answer to: {0}', question.question)}
        placeholder={t('Another answer')}
        value={choice.other}
        onInput={event => onChange({ labels: many ? choice.labels : [], other: event.currentTarget.value })}
      />
    </fieldset>
  );
}

function answerText({ labels, other }: Choice): string {
  return [...labels, other.trim()].filter(text => text !== '').join(', ');
}
