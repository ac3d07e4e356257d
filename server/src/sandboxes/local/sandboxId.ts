import { createHash } from 'node:crypto';
import { idPattern } from '../../../../protocol/ids.ts';
import { SandpiperError } from '../../../../protocol/errors.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const LENGTH = 26;
const SHAPE = idPattern('snd');
const MAX_KEY_LENGTH = 256;

/** The sandbox of a key: always the same, and a safe name for a folder whatever the key is. */
export function sandboxIdOf(key: string): string {
  if (key.length > MAX_KEY_LENGTH) {
    throw new SandpiperError('invalid_params', `The key of a sandbox may have ${MAX_KEY_LENGTH} characters.`);
  }
  const digest = createHash('sha256').update(key).digest().subarray(0, LENGTH);
  return `snd_${Array.from(digest, byte => ALPHABET[byte % ALPHABET.length]).join('')}`;
}

export function isSandboxId(text: string): boolean {
  return SHAPE.test(text);
}
