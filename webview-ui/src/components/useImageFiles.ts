import type { FormHTMLAttributes } from 'preact';
import type { SessionState } from '../../../protocol/session.ts';
import { attachImages } from '../state/attachments.ts';
import type { Action } from './useAction.ts';

/** Takes images that are pasted or dropped into a form; everything else goes its usual way. */
export function useImageFiles(
  session: SessionState,
  action: Action,
): Pick<FormHTMLAttributes<HTMLFormElement>, 'onPaste' | 'onDragOver' | 'onDrop'> {
  const take = (event: Event, data: DataTransfer | null): void => {
    const files = [...(data?.files ?? [])].filter(({ type }) => type.startsWith('image/'));
    if (files.length > 0 && !session.archived) {
      event.preventDefault();
      action.run(() => attachImages(session.id, files));
    }
  };
  return {
    onPaste: event => take(event, event.clipboardData),
    onDragOver: event => {
      // Without this nothing can be dropped here.
      if (event.dataTransfer?.types.includes('Files') === true) {
        event.preventDefault();
      }
    },
    onDrop: event => take(event, event.dataTransfer),
  };
}
