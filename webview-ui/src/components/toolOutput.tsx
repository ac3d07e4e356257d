import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Payload } from '../../../protocol/events.ts';
import { usePage } from '../page.ts';
import { bytes } from '../text/format.ts';
import { blobImage, blobText, isShowableImage, MAX_SHOWN_BYTES } from '../tools/blobs.ts';
import { Foldable } from './foldable.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';
import { t } from '../../../protocol/text.ts';

const PREVIEW_LINES = 8;

/** What a tool answered: the beginning, all lines on demand, and what stands outside the log when it is asked for. */
export function ToolOutput({ sessionId, output }: { sessionId: string; output: Payload }): JSX.Element | null {
  const { host } = usePage();
  const [whole, setWhole] = useState<string | undefined>(undefined);
  const [image, setImage] = useState<string | undefined>(undefined);
  const action = useAction();
  const { blob } = output;
  const text = (whole ?? output.text).replace(/\n$/, '');
  const isImage = blob !== undefined && isShowableImage(blob.mediaType);
  const load = async (): Promise<void> => {
    if (!blob) {
      return;
    }
    if (isImage) {
      setImage(await blobImage(host, sessionId, blob));
    } else {
      setWhole(await blobText(host, sessionId, blob));
    }
  };
  return (
    <>
      {text === '' ? null : (
        <Foldable items={text.split('\n')} preview={PREVIEW_LINES} noun="line">
          {lines => (
            <pre class="output" tabIndex={0}>
              {lines.join('\n')}
            </pre>
          )}
        </Foldable>
      )}
      {image === undefined ? null : <img class="shown" src={image} alt={t('Image that the tool returned')} />}
      {blob && whole === undefined && image === undefined ? (
        <button type="button" class="link fold" data-hold disabled={action.busy} onClick={() => action.run(load)}>
          {action.busy ? t('Loading…') : `${isImage ? t('Show image') : t('Load all')} (${bytes(blob.bytes)})`}
        </button>
      ) : null}
      {whole !== undefined && blob && blob.bytes > MAX_SHOWN_BYTES ? (
        <p class="note">{t('The first {0} are shown.', bytes(MAX_SHOWN_BYTES))}</p>
      ) : null}
      <Problem error={action.error} />
    </>
  );
}
