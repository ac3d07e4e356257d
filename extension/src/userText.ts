import { hintInEditor } from '../../protocol/editorHint.ts';
import type { SandpiperError } from '../../protocol/errors.ts';

/** What happened and what to do, as it reads in the editor. */
export function userText({ message, hint }: SandpiperError): string {
  return hint === undefined ? message : `${message} ${hintInEditor(hint)}`;
}
