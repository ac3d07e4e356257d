import type { JSX } from 'preact';
import type { LiveText } from '../state/liveText.ts';
import { bytes } from '../text/format.ts';
import { Elapsed } from './elapsed.tsx';
import { Icon } from './icon.tsx';
import { t } from '../../../protocol/text.ts';

const SHOWN_TAIL = 400;

/** A tool call that the model is still writing. Its input is not complete JSON yet, so it is shown as it comes. */
export function LiveToolInput({ live }: { live: LiveText }): JSX.Element {
  const text = live.text.value;
  return (
    <div class="tool running writing">
      <p>
        <Icon name="edit" /> {t('Writing a tool call')} <span class="dim">{bytes(text.length)}</span>{' '}
        <Elapsed since={live.startedAt} />
      </p>
      <pre class="plain">{text.length > SHOWN_TAIL ? `…${text.slice(-SHOWN_TAIL)}` : text}</pre>
    </div>
  );
}
