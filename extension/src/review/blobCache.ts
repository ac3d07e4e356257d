import { createHash } from 'node:crypto';

const MAX_BYTES = 64 * 1024 * 1024;

/** Contents of files by their git object id, which never changes its content; the least recently used go first. */
export class BlobCache {
  readonly #contents = new Map<string, Uint8Array>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get(id: string): Uint8Array | undefined {
    const content = this.#contents.get(id);
    if (content) {
      this.#contents.delete(id);
      this.#contents.set(id, content);
    }
    return content;
  }

  set(id: string, content: Uint8Array): void {
    this.#remove(id);
    this.#contents.set(id, content);
    this.#bytes += content.byteLength;
    for (const oldest of this.#contents.keys()) {
      if (this.#bytes <= this.#maxBytes || oldest === id) {
        break;
      }
      this.#remove(oldest);
    }
  }

  #remove(id: string): void {
    this.#bytes -= this.#contents.get(id)?.byteLength ?? 0;
    this.#contents.delete(id);
  }
}

/** The id that git gives a content, in a repository whose ids look like `sample`. */
export function blobId(content: Uint8Array, sample: string): string {
  return createHash(sample.length === 64 ? 'sha256' : 'sha1')
    .update(`blob ${content.byteLength}\0`)
    .update(content)
    .digest('hex');
}
