import type { CallResult } from '../../../protocol/calls.ts';
import type { PendingFile, PendingReview, ReviewSides } from '../../../protocol/pendingReview.ts';
import { sideText, type SideText } from '../text/hunkLines.ts';
import type { RelayConnection } from './relayConnection.ts';
import { t } from '../../../protocol/text.ts';

/** Both sides of a file; why they are not shown, where they cannot be. */
export type FileTexts = { before: SideText; after: SideText; note?: string } | { note: string };

const EMPTY = sideText('');

/** The texts of the pending files that somebody looks at. */
export class SideTexts {
  readonly #relay: Pick<RelayConnection, 'call'>;
  readonly #known = new Map<string, { path: string; texts: FileTexts }>();

  constructor(relay: Pick<RelayConnection, 'call'>) {
    this.#relay = relay;
  }

  /** The texts that the file's hunks were made from, when they are here. */
  peek(file: PendingFile): FileTexts | undefined {
    return this.#known.get(keyOf(file))?.texts;
  }

  /** @throws {SandpiperError} when the relay does not give them */
  async load(sessionId: string, sides: ReviewSides, file: PendingFile): Promise<void> {
    const texts = await this.#read(sessionId, sides, file);
    this.#known.set(keyOf(file), { path: file.path, texts });
  }

  /** Brings the files that are here in another state too. What cannot be read is asked for again when it is looked at. */
  async follow(sessionId: string, { files, ...sides }: PendingReview): Promise<void> {
    const shown = new Set([...this.#known.values()].map(({ path }) => path));
    const moved = files.filter(file => shown.has(file.path) && !this.peek(file));
    await Promise.all(moved.map(file => this.load(sessionId, sides, file).catch(() => undefined)));
  }

  /** Forgets what is not pending any more. */
  keep({ files }: PendingReview): void {
    const pending = new Set(files.map(keyOf));
    for (const key of [...this.#known.keys()].filter(known => !pending.has(known))) {
      this.#known.delete(key);
    }
  }

  clear(): void {
    this.#known.clear();
  }

  async #read(sessionId: string, { accepted, proposed }: ReviewSides, file: PendingFile): Promise<FileTexts> {
    const { path, oldPath = path, status } = file;
    const read = (commit: string, of: string): Promise<CallResult<'changes.file'>> =>
      this.#relay.call('changes.file', { sessionId, side: `commit:${commit}`, path: of });
    const [before, after] = await Promise.all([
      status === 'added' ? undefined : read(accepted, oldPath),
      status === 'deleted' ? undefined : read(proposed, path),
    ]);
    const sides = [before, after].filter(side => side !== undefined);
    if (sides.some(({ tooLarge }) => tooLarge)) {
      return { note: t('Too large to be shown here.') };
    }
    const text = (side: typeof before): SideText =>
      side?.exists === true ? sideText(side.encoding === 'base64' ? atob(side.content) : side.content) : EMPTY;
    return {
      before: text(before),
      after: text(after),
      ...(sides.some(({ encoding }) => encoding === 'base64') ? { note: t('Not UTF-8; shown as Latin-1.') } : {}),
    };
  }
}

function keyOf({ path, oldBlob = '', blob = '', oldPath = '' }: PendingFile): string {
  return `${oldBlob} ${blob} ${oldPath}\n${path}`;
}
