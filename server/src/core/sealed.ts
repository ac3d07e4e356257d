import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/* Texts that lie on the disk only so that nobody reads or changes them without the key: AES-256-GCM. */

const FORM = 'v1';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * @param key 32 bytes
 * @param purpose what it is sealed as: it cannot be opened as something else
 */
export function seal(key: Buffer, purpose: string, text: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(purpose));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return [FORM, iv, cipher.getAuthTag(), sealed]
    .map(part => (typeof part === 'string' ? part : part.toString('base64url')))
    .join('.');
}

/** Undefined for what was sealed with another key or as something else, or was changed. */
export function unseal(key: Buffer, purpose: string, sealed: string): string | undefined {
  const [form, ...parts] = sealed.split('.');
  const [iv, tag, text, ...more] = parts.map(part => Buffer.from(part, 'base64url'));
  if (form !== FORM || !iv || !tag || !text || more.length > 0) {
    return undefined;
  }
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(purpose)).setAuthTag(tag);
    return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
