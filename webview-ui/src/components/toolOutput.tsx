import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Payload } from '../../../protocol/events.ts';
import { usePage } from '../page.ts';
import { bytes } from '../text/format.ts';
import { isShowableImage, MAX_SHOWN_BYTES, readBlob } from '../tools/readBlob.ts';
import { Foldable } from './foldable.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';

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
    const content = await readBlob(host, sessionId, blob);
    if (isImage) {
      setImage(await toDataUrl(content, blob.mediaType));
    } else {
      setWhole(new TextDecoder().decode(content));
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
      {image === undefined ? null : <img class="shown" src={image} alt="Image that the tool returned" />}
      {blob && whole === undefined && image === undefined ? (
        <button type="button" class="link fold" data-hold disabled={action.busy} onClick={() => action.run(load)}>
          {action.busy ? 'Loading…' : `${isImage ? 'Show image' : 'Load all'} (${bytes(blob.bytes)})`}
        </button>
      ) : null}
      {whole !== undefined && blob && blob.bytes > MAX_SHOWN_BYTES ? (
        <p class="note">The first {bytes(MAX_SHOWN_BYTES)} are shown.</p>
      ) : null}
      <Problem error={action.error} />
    </>
  );
}

function toDataUrl(content: Uint8Array, mediaType: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(typeof reader.result === 'string' ? reader.result : ''));
    reader.addEventListener('error', () => reject(reader.error ?? new Error('The image could not be read.')));
    reader.readAsDataURL(new Blob([new Uint8Array(content)], { type: mediaType }));
  });
}
