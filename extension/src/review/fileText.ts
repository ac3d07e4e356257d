import type { CallResult } from '../../../protocol/calls.ts';
import { t, number } from '../../../protocol/text.ts';

/** The bytes that the editor shows for a file of a side: its content, nothing for an absent one, a sentence for one too large. */
export function fileText(file: CallResult<'changes.file'>): Uint8Array {
  if (!file.exists) {
    return new Uint8Array();
  }
  if (file.tooLarge) {
    return Buffer.from(`${t('This file is too large to show here ({0} bytes).', number(file.bytes))}\n`);
  }
  return Buffer.from(file.content, file.encoding);
}

/**
 * Whether the editor can write the file back without loss: it decodes as UTF-8 and does not write the path of a link, a
 * commit of a submodule, or the sentence that stands for a large file.
 */
export function isEditable(file: CallResult<'changes.file'>): boolean {
  const isText = file.encoding === 'utf8' && !file.content.includes('\0');
  return !file.tooLarge && isText && (!file.exists || file.mode === '100644' || file.mode === '100755');
}
