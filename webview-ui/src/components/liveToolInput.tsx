import type { JSX } from 'preact';
import type { LiveText } from '../state/liveText.ts';
import { Icon } from './icon.tsx';

const SHOWN_TAIL = 400;

/** A tool call that the model is still writing. Its input is not complete JSON yet, so it is shown as it comes. */
export function LiveToolInput({ live }: { live: LiveText }): JSX.Element {
  const text = live.text.value;
  return (
    <div class="tool running writing">
      <p>
        <Icon name="edit" /> Writing a tool call
      </p>
      <pre class="plain">{text.length > SHOWN_TAIL ? `…${text.slice(-SHOWN_TAIL)}` : text}</pre>
    </div>
  );
}
