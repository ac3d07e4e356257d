import type { Disposable } from '../../core/disposable.ts';
import type { SandboxFileAccess } from '../sandboxFileAccess.ts';

/**
 * Files of a sandbox, with the journal read from the vendor's file server: that is what a session reads most, and costs no
 * program there. The file server follows links; in the journal they can only lead to what the agent could write there
 * itself. Everywhere else no link is followed.
 */
export class VendorFiles implements SandboxFileAccess {
  readonly #files: SandboxFileAccess;
  readonly #journal: string;
  readonly #download: (path: string, first: number, bytes: number) => Promise<Buffer | undefined>;

  constructor(
    files: SandboxFileAccess,
    journal: string,
    download: (path: string, first: number, bytes: number) => Promise<Buffer | undefined>,
  ) {
    this.#files = files;
    this.#journal = journal;
    this.#download = download;
  }

  async writeFile(path: string, data: Uint8Array, mode?: number): Promise<void> {
    await this.#files.writeFile(path, data, mode);
  }

  async readFrom(path: string, offset: number, maxBytes: number): Promise<{ data: Buffer; missing: boolean }> {
    if (!this.#isPlainJournal(path) || maxBytes < 1 || !Number.isSafeInteger(offset + maxBytes) || offset < 0) {
      return this.#files.readFrom(path, offset, maxBytes);
    }
    const data = await this.#download(path, offset, maxBytes);
    return { data: data ?? Buffer.alloc(0), missing: data === undefined };
  }

  watch(path: string, onChange: () => void): Disposable {
    return this.#files.watch(path, onChange);
  }

  async wake(fifo: string): Promise<void> {
    await this.#files.wake(fifo);
  }

  /** Names that mean nothing to a path; others are refused where paths are checked. */
  #isPlainJournal(path: string): boolean {
    return (
      path.startsWith(`${this.#journal}/`) &&
      path
        .slice(this.#journal.length + 1)
        .split('/')
        .every(part => /^[\w.-]{1,100}$/.test(part) && !/^\.+$/.test(part))
    );
  }
}
