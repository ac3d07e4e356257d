import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { BlobRef } from '../../../protocol/events.ts';
import { usePage } from '../page.ts';
import { blobImage, isShowableImage } from '../tools/blobs.ts';
import { Icon } from './icon.tsx';
import { t } from '../../../protocol/text.ts';

/** Images that go with the message that is written. */
export function AttachedImages({ draftId }: { draftId: string }): JSX.Element {
  const { drafts } = usePage();
  const images = drafts.imagesOf(draftId);
  return (
    <div class="messageImages" role="group" aria-label={t('Images of this message')}>
      {images.map((image, index) => (
        <figure key={`${index}:${image.content.length}`}>
          <img src={`data:${image.mediaType};base64,${image.content}`} alt={t('Image {0}', index + 1)} />
          <button
            type="button"
            class="iconButton"
            aria-label={t('Remove image {0}', index + 1)}
            title={t('Remove')}
            onClick={() =>
              drafts.setImages(
                draftId,
                images.filter(other => other !== image),
              )
            }
          >
            <Icon name="close" />
          </button>
        </figure>
      ))}
    </div>
  );
}

/** Images of a message that was sent. */
export function MessageImages({ sessionId, images }: { sessionId: string; images: readonly BlobRef[] }): JSX.Element {
  return (
    <div class="messageImages">
      {images.map((image, index) => (
        <StoredImage key={image.hash} sessionId={sessionId} image={image} number={index + 1} />
      ))}
    </div>
  );
}

function StoredImage({ sessionId, image, number }: { sessionId: string; image: BlobRef; number: number }): JSX.Element {
  const { host } = usePage();
  const [url, setUrl] = useState<string | undefined>(undefined);
  const [failed, setFailed] = useState(!isShowableImage(image.mediaType));
  useEffect(() => {
    if (!failed) {
      blobImage(host, sessionId, image).then(setUrl, () => setFailed(true));
    }
  }, [image.hash]);
  if (failed) {
    return <span class="dim">{t('Image {0} cannot be shown.', number)}</span>;
  }
  return (
    <figure>
      {url === undefined ? (
        <span class="dim">{t('Image {0}…', number)}</span>
      ) : (
        <img src={url} alt={t('Image {0} of the message', number)} />
      )}
    </figure>
  );
}
