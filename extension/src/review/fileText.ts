import type { CallResult } from '../../../protocol/calls.ts';

/** The bytes that the editor shows for a file of a side: its content, nothing for an absent one, a sentence for one too large. */
export function fileText(file: CallResult<'changes.file'>): Uint8Array {
  if (!file.exists) {
    return new Uint8Array();
  }
  if (file.tooLarge) {
    return Buffer.from(`This file is too large to show here (${file.bytes.toLocaleString('en')} bytes).\n`);
  }
  return Buffer.from(file.content, file.encoding);
}
