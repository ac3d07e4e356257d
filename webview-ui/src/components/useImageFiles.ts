import type { FormHTMLAttributes } from 'preact';
import { usePage } from '../page.ts';
import { seldom } from './lazyParts.tsx';
import { useAction, type Action } from './useAction.ts';

export interface ImageFiles {
  /** While images are read nothing is sent: they would come too late. */
  action: Action;
  /** Of the form that takes pasted and dropped images; everything else goes its usual way. */
  events: Pick<FormHTMLAttributes<HTMLFormElement>, 'onPaste' | 'onDragOver' | 'onDrop'>;
  choose: () => void;
}

/** Brings images into a draft. */
export function useImageFiles(draftId: string, disabled = false): ImageFiles {
  const { drafts } = usePage();
  const action = useAction();
  const take = (event: Event, data: DataTransfer | null): void => {
    const files = [...(data?.files ?? [])].filter(({ type }) => type.startsWith('image/'));
    if (files.length > 0 && !disabled) {
      event.preventDefault();
      action.run(async () => (await seldom()).attachImages(drafts, draftId, files));
    }
  };
  return {
    action,
    events: {
      onPaste: event => take(event, event.clipboardData),
      onDragOver: event => {
        // Without this nothing can be dropped here.
        if (event.dataTransfer?.types.includes('Files') === true) {
          event.preventDefault();
        }
      },
      onDrop: event => take(event, event.dataTransfer),
    },
    choose: () => {
      void seldom().then(async ({ attachImages, chooseImages }) => {
        const files = await chooseImages();
        action.run(() => attachImages(drafts, draftId, files));
      });
    },
  };
}
