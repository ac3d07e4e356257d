import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SandpiperError } from '../protocol/errors.ts';
import { t } from '../protocol/text.ts';

export interface Download {
  bytes: number;
  /** In hex. */
  sha256: string;
}

const CHUNK_BYTES = 1_000_000;

/**
 * Gets a file part by part. What came before a failure stays in `<path>.part`, and the next call goes on behind it.
 * @param read a part from an offset; never empty before the end
 * @throws `git_failed` when what came is not what was promised; then nothing is kept
 */
export async function download(
  path: string,
  { bytes, sha256 }: Download,
  read: (offset: number, maxBytes: number) => Promise<Buffer>,
  onProgress: (bytes: number) => void = () => {},
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  const begun = (await stat(part).catch(() => undefined))?.size ?? 0;
  if (begun > bytes) {
    await rm(part, { force: true });
  }
  const file = await open(part, 'a');
  try {
    for (let offset = begun > bytes ? 0 : begun; offset < bytes;) {
      const content = await read(offset, Math.min(CHUNK_BYTES, bytes - offset));
      if (content.length === 0) {
        throw new SandpiperError('git_failed', t('The download ended too early.'), { hint: t('Try again.') });
      }
      await file.write(content);
      offset += content.length;
      onProgress(offset);
    }
  } finally {
    await file.close();
  }
  if ((await hashFile(part)) !== sha256) {
    await rm(part, { force: true });
    throw new SandpiperError('git_failed', t('What was downloaded is damaged.'), { hint: t('Try again.') });
  }
  await rename(part, path);
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) {
    hash.update(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));
  }
  return hash.digest('hex');
}
