import type { JSX } from 'preact';
import type { DiffLine } from '../text/lineDiff.ts';
import { VisibleText } from './visibleText.tsx';
import { t } from '../../../protocol/text.ts';

const signs = { same: ' ', added: '+', removed: '−', gap: '⋯' } as const;
const words = (): Record<DiffLine['kind'], string> => ({
  same: '',
  added: `${t('added')}: `,
  removed: `${t('removed')}: `,
  gap: '',
});

/** A small diff. The sign stands beside the colour, for those who do not see it. */
export function DiffLines({ lines }: { lines: readonly DiffLine[] }): JSX.Element {
  return (
    <div class="diff" tabIndex={0} role="group" aria-label={t('Changed lines')}>
      {lines.map((line, index) => (
        <div key={index} class={`line ${line.kind}`}>
          <span class="sign" aria-hidden="true">
            {signs[line.kind]}
          </span>
          <span class="sr">{words()[line.kind]}</span>
          <span class="lineText">
            <VisibleText text={line.text} />
          </span>
        </div>
      ))}
    </div>
  );
}
