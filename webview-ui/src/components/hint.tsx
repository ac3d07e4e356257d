import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { hintInEditor } from '../../../protocol/editorHint.ts';
import { usePage } from '../page.ts';
import { t } from '../../../protocol/text.ts';

/** A command of a hint: `npm install …`. A lone word in backticks is a name, and nothing to run. */
const COMMAND = /`([^`]+ [^`]+)`/;

/** What to do about something, with its code as code, and its command to take along to a terminal. */
export function Hint({ text: hint }: { text: string }): JSX.Element {
  const { host } = usePage();
  const text = host.kind === 'vscode' ? hintInEditor(hint) : hint;
  const command = COMMAND.exec(text)?.[1];
  return (
    <>
      {text.split('`').map((part, index) => (index % 2 === 1 ? <code key={part}>{part}</code> : part))}
      {command === undefined ? null : <Copy command={command} />}
    </>
  );
}

function Copy({ command }: { command: string }): JSX.Element {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(command);
    setCopied(true);
  };
  return (
    <>
      {' '}
      <button
        type="button"
        class="link"
        title={t('Copy “{0}”', command)}
        onClick={() => void copy().catch(() => undefined)}
      >
        {copied ? t('Copied') : t('Copy')}
      </button>
    </>
  );
}
