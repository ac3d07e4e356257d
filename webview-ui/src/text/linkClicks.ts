import { ask } from '../state/dialogs.ts';
import { linkTarget } from './links.ts';

export interface LinkActions {
  openUrl(url: string): void;
  openFile(path: string): void;
  copy(text: string): void;
}

/** Answers clicks and keys on what agent text made: links, file names and copy buttons. One listener for the page. */
export function listenForLinks(root: HTMLElement, actions: LinkActions): void {
  const activate = (event: Event): void => {
    const target = event.target instanceof Element ? event.target.closest('a, [data-copy]') : null;
    if (!(target instanceof HTMLElement)) {
      return;
    }
    const { url, file, copy } = target.dataset;
    event.preventDefault();
    if (url !== undefined) {
      void confirmUrl(url, actions);
    } else if (file !== undefined) {
      actions.openFile(file);
    } else if (copy !== undefined) {
      actions.copy(target.closest('.codeBlock')?.querySelector('code')?.textContent ?? '');
      showCopied(target);
    }
  };
  root.addEventListener('click', activate);
  root.addEventListener('auxclick', event => event.preventDefault());
  root.addEventListener('keydown', event => {
    if (event.key === 'Enter' && event.target instanceof HTMLElement && event.target.tagName === 'A') {
      activate(event);
    }
  });
}

/** Shows where a link really leads, whatever its text says, and opens it when the user agrees. */
export async function confirmUrl(url: string, actions: Pick<LinkActions, 'openUrl'>): Promise<void> {
  const target = linkTarget(url);
  if (target?.kind !== 'web') {
    return;
  }
  const answer = await ask({
    title: `Open ${target.host}?`,
    body: 'This link comes from the session. It opens outside of Sandpiper:',
    code: target.url,
    confirm: 'Open Link',
  });
  if (answer !== undefined) {
    actions.openUrl(target.url);
  }
}

function showCopied(button: HTMLElement): void {
  button.textContent = 'Copied';
  setTimeout(() => {
    button.textContent = 'Copy';
  }, 1500);
}
