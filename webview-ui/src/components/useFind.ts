import { useEffect, useState } from 'preact/hooks';

export interface Find {
  open: boolean;
  toggle: () => void;
  close: () => void;
}

/** Whether the search stands above the transcript; Ctrl+F (Command on a Mac) opens it from anywhere on the page. */
export function useFind(): Find {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'f') {
        event.preventDefault();
        setOpen(true);
        document.querySelector<HTMLInputElement>('.findBar input')?.select();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  return {
    open,
    toggle: () => setOpen(!open),
    close: () => {
      setOpen(false);
      document.querySelector<HTMLElement>('.composer textarea')?.focus();
    },
  };
}
