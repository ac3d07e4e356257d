import type { ReadonlySignal } from '@preact/signals';
import type { JSX } from 'preact';
import { Icon } from './icon.tsx';
import { Markdown } from './markdown.tsx';
import { t } from '../../../protocol/text.ts';

/** The agent's reasoning, folded: it is there for who wants it and in nobody's way. */
export function Thinking({ source }: { source: string | ReadonlySignal<string> }): JSX.Element {
  const finished = typeof source === 'string';
  return (
    <details class="thinking">
      <summary data-hold>
        <Icon name="chevron" class="twist" />
        <Icon name="thought" />
        <span>{finished ? t('Thought') : t('Thinking')}</span>
        <Preview source={source} />
      </summary>
      <Markdown source={source} />
    </details>
  );
}

const PREVIEW_LENGTH = 120;

function Preview({ source }: { source: string | ReadonlySignal<string> }): JSX.Element {
  const text = typeof source === 'string' ? source : source.value;
  const line =
    typeof source === 'string' ? firstLine(text) : firstLine(text.slice(text.trimEnd().lastIndexOf('\n') + 1));
  return <span class="preview">{line.slice(0, PREVIEW_LENGTH)}</span>;
}

function firstLine(text: string): string {
  return (text.trim().split('\n', 1)[0] ?? '').replace(/[*`_#]/g, '');
}
