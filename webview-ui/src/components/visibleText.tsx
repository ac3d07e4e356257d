import type { JSX } from 'preact';
import { visibleParts } from '../text/visibleText.ts';
import { t } from '../../../protocol/text.ts';

/** Text in which nothing hides: characters that are not seen are named. */
export function VisibleText({ text }: { text: string }): JSX.Element {
  return (
    <>
      {visibleParts(text).map((part, index) =>
        part.hidden ? (
          <span key={index} class="hiddenCharacter" title={t('A character that is not seen')}>
            {part.text}
          </span>
        ) : (
          part.text
        ),
      )}
    </>
  );
}
