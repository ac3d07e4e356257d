import type { JSX } from 'preact';
import { visibleParts } from '../text/visibleText.ts';

/** A file name that opens the file's changes. The one click listener of the page answers it. */
export function FileLink({ path }: { path: string }): JSX.Element {
  const shown = visibleParts(path)
    .map(part => part.text)
    .join('');
  return (
    <a class="file" role="link" tabIndex={0} data-file={path} title={shown}>
      {shown}
    </a>
  );
}
