import { hintInEditor } from '../../protocol/editorHint.ts';
import type { SandpiperError } from '../../protocol/errors.ts';

/** What happened and what to do, as it reads in the editor. */
export function userText({ message, hint }: SandpiperError): string {
  // The words of a vendor may end without a mark.
  const end = /[.!?…:]\s*$/u.test(message) ? '' : '.';
  return hint === undefined ? message : `${message}${end} ${hintInEditor(hint)}`;
}
