import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { NewSessionSource } from './newSessionSource.ts';
import { t } from '../../../protocol/text.ts';

/** Where a new session's repository is typed. */
export function RepositoryField({ source }: { source: NewSessionSource }): JSX.Element {
  const [text, setText] = useState(source.source.value);
  const inspect = (): void => {
    const typed = text.trim();
    if (typed !== '' && typed !== source.source.peek()) {
      source.inspect(typed);
    }
  };
  return (
    <label class="source">
      <span class="hint">{t('Repository: a folder on the machine of the relay, or a URL')}</span>
      <input
        type="text"
        value={text}
        spellcheck={false}
        placeholder="/home/me/project"
        onInput={event => setText(event.currentTarget.value)}
        onChange={inspect}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            event.preventDefault();
            inspect();
          }
        }}
      />
    </label>
  );
}
