import type { JSX } from 'preact';
import { Icon } from './icon.tsx';
import { t } from '../../../protocol/text.ts';

/** For those who have nothing to paste or drop with, as on a phone. */
export function AttachButton({ disabled, onClick }: { disabled: boolean; onClick: () => void }): JSX.Element {
  return (
    <button
      type="button"
      class="iconButton"
      aria-label={t('Add images')}
      title={t('Add images; they can be pasted and dropped too')}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name="plus" />
    </button>
  );
}
