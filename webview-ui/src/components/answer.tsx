import type { ReadonlySignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Payload } from '../../../protocol/events.ts';
import { usePage } from '../page.ts';
import { bytes } from '../text/format.ts';
import { blobText } from '../tools/blobs.ts';
import { Markdown } from './markdown.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';
import { t } from '../../../protocol/text.ts';

export interface AnswerProps {
  sessionId: string;
  /** What the agent wrote, or is writing. */
  text: Payload | ReadonlySignal<string>;
}

/** What the agent said. The same component while it is written and after, so that nothing is drawn twice. */
export function Answer({ sessionId, text }: AnswerProps): JSX.Element {
  const { host } = usePage();
  const [whole, setWhole] = useState<string | undefined>(undefined);
  const action = useAction();
  if (!('text' in text)) {
    return (
      <div class="answer live">
        <Markdown source={text} />
      </div>
    );
  }
  const { blob } = text;
  const load = async (content: NonNullable<Payload['blob']>): Promise<void> =>
    setWhole(await blobText(host, sessionId, content));
  return (
    <div class="answer">
      <Markdown source={whole ?? text.text} />
      {blob && whole === undefined ? (
        <button
          type="button"
          class="link fold"
          data-hold
          disabled={action.busy}
          onClick={() => action.run(() => load(blob))}
        >
          {t('Load all ({0})', bytes(blob.bytes))}
        </button>
      ) : null}
      <Problem error={action.error} />
    </div>
  );
}
