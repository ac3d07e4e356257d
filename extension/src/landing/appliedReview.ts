import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ApplyRecords } from '../../../landing/applyRecord.ts';
import { isMissing, readState } from '../../../landing/fileState.ts';
import { candidates, hunksInFile, touches, withoutHunks } from '../../../landing/hunksInFile.ts';
import type { FileSides, HunkPlace, ShownChange } from '../../../landing/hunksInFile.ts';
import { rejectInFile } from '../../../landing/rejectInFile.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { Hunk } from '../../../protocol/review.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { fileText } from '../review/fileText.ts';
import type { PendingChanges, PendingFile } from '../review/pendingChanges.ts';
import type { ReviewDecisions, Verdict } from '../review/reviewDecisions.ts';
import { AppliedRow } from './appliedFiles.ts';
import type { AppliedFile, AppliedFiles } from './appliedFiles.ts';
import { OpenText } from './openText.ts';
import { t } from '../../../protocol/text.ts';

/** What of a file is decided: all that stands in it, the change that is shown, or what is at a line. */
export type Part = { kind: 'file' } | { kind: 'change'; change: ShownChange } | { kind: 'line'; line: number };

/** The user's file as it is, in an editor that did not save it or on disk. */
interface UserText {
  bytes: Buffer | undefined;
  isUnsaved: boolean;
}

/** What a rejection makes of the user's file; undefined bytes take it away. */
interface Decided {
  hunks?: Hunk[];
  after: Buffer | undefined;
}

interface Parts {
  relay: RelayLink;
  records: ApplyRecords;
  files: AppliedFiles;
  pending: PendingChanges;
  decisions: ReviewDecisions;
}

/**
 * Decides about a session's changes in the user's own file. To accept takes what stands there into the review and leaves the
 * file alone. To reject takes it out of the review and out of the file; if the file cannot be changed, neither is.
 */
export class AppliedReview {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * @param argument a row of the source control view, or the address of the file; without either the active editor's
   * @throws `conflict` when what stands in the file is not what is proposed, `stale`, `not_found`; nothing is decided then
   */
  async decide(verdict: Verdict, argument: unknown, changes: unknown, index: unknown): Promise<void> {
    const { applied, part } = this.#target(argument, changes, index);
    const { sessionId, path, folder } = applied;
    const { pending, decisions } = this.#parts;
    const seen = await pending.get(sessionId);
    const file = seen.files.find(one => one.path === path);
    if (!file) {
      throw new SandpiperError('stale', t('Nothing in {0} is pending any more.', path));
    }
    const open = new OpenText(folder.root, this.#parts.records);
    const user = await read(open, applied);
    const decided =
      file.hunks.length === 0
        ? await this.#wholeFile(applied, file, user)
        : await this.#hunks(applied, file, { user, part });
    const hunks = decided.hunks?.map(({ id }) => id);
    const target = { sessionId, path, ...(hunks ? { hunks } : {}) };
    if (verdict === 'accept') {
      await decisions.decideInPlace('accept', target, seen);
      return;
    }
    let seq: number | undefined;
    await rejectInFile(
      {
        records: this.#parts.records,
        user: folder,
        editor: open,
        about: { sessionId, commit: applied.commit, from: 'all' },
      },
      {
        path,
        before: user.bytes,
        after: decided.after,
        isUnsaved: user.isUnsaved,
        executable: file.oldMode === '100755',
      },
      {
        reject: async () => {
          seq = await decisions.decideInPlace('reject', target, seen);
        },
        takeBack: async () => {
          await (seq === undefined ? undefined : decisions.takeBack(sessionId, seq));
        },
      },
    );
  }

  #target(argument: unknown, changes: unknown, index: unknown): { applied: AppliedFile; part: Part } {
    if (argument instanceof AppliedRow) {
      return { applied: argument.applied, part: { kind: 'file' } };
    }
    const editor = vscode.window.activeTextEditor;
    const uri = argument instanceof vscode.Uri ? argument : editor?.document.uri;
    const applied = uri && this.#parts.files.find(uri);
    if (!applied) {
      throw new SandpiperError(
        'not_found',
        t('No change of a session that was applied to this file waits for a review.'),
        {
          hint: t('Use "Sandpiper: Apply to Workspace" first, with all changes.'),
        },
      );
    }
    const change = readChange(changes, index);
    const line = editor?.selection.active.line ?? 0;
    return { applied, part: change ? { kind: 'change', change } : { kind: 'line', line } };
  }

  /** The hunks that are meant and stand in the file just as they are proposed, and the file without them. */
  async #hunks(
    { folder, path, sessionId }: AppliedFile,
    file: PendingFile,
    { user, part }: { user: UserText; part: Part },
  ): Promise<Decided> {
    const sides: FileSides = {
      accepted: await this.#side(sessionId, 'accepted', file.oldPath ?? path, file.oldBlob),
      proposed: await this.#side(sessionId, 'proposed', path, file.blob),
      user: user.bytes ?? Buffer.alloc(0),
    };
    const { environment } = folder;
    const near = part.kind === 'change' ? candidates(file.hunks, part.change) : file.hunks;
    const inFile = await hunksInFile(sides, near, environment);
    let meant = inFile.filter(place => isMeant(place, part));
    if (meant.length === 0 && part.kind === 'change') {
      // The editor may have aligned equal lines in another way.
      meant = (await hunksInFile(sides, file.hunks, environment)).filter(place => isMeant(place, part));
    }
    const hunks = meant.map(({ hunk }) => hunk);
    const after = hunks.length === 0 ? undefined : await withoutHunks(sides, hunks, environment);
    if (!after) {
      throw new SandpiperError('conflict', t('What stands there in {0} is not what the session proposes.', path), {
        hint: t(
          'You changed these lines, or the agent did since. Decide in the session’s own changes, or apply again.',
        ),
      });
    }
    return { hunks, after };
  }

  /** An added or deleted file. */
  async #wholeFile({ path, sessionId }: AppliedFile, file: PendingFile, user: UserText): Promise<Decided> {
    if (file.status === 'added' && !file.binary) {
      const proposed = await this.#side(sessionId, 'proposed', path, file.blob);
      if (user.bytes && withLf(user.bytes) === withLf(proposed)) {
        return { after: undefined };
      }
      throw new SandpiperError('conflict', t('{0} is not as the session proposes it.', path), {
        hint: t('You changed it, or the agent did since. Decide in the session’s own changes, or apply again.'),
      });
    }
    if (file.status === 'deleted' && !file.binary && user.bytes === undefined) {
      return { after: await this.#side(sessionId, 'accepted', path, file.oldBlob) };
    }
    throw new SandpiperError('conflict', t('{0} is decided as a whole, in the session’s own changes.', path), {
      hint: t('Use "Sandpiper: Open Changes".'),
    });
  }

  async #side(
    sessionId: string,
    side: 'accepted' | 'proposed',
    path: string,
    blob: string | undefined,
  ): Promise<Buffer> {
    const content = await this.#parts.relay.call('changes.file', { sessionId, side, path });
    if (content.tooLarge) {
      throw new SandpiperError('too_large', t('{0} is too large to be decided in the file.', path), {
        hint: t('Decide in the session’s own changes.'),
      });
    }
    if (blob === undefined || content.blob !== blob) {
      await this.#parts.pending.refresh(sessionId);
      throw new SandpiperError('stale', t('{0} was changed by another decision or turn meanwhile. Look again.', path));
    }
    return Buffer.from(fileText(content));
  }
}

function isMeant({ lines }: HunkPlace, part: Part): boolean {
  switch (part.kind) {
    case 'file':
      return true;
    case 'change':
      return touches(lines, part.change.user);
    case 'line':
      return touches(lines, { start: part.line, end: part.line + 1 });
  }
}

async function read(open: OpenText, { folder, path }: AppliedFile): Promise<UserText> {
  const text = (await open.unsaved())(path);
  if (text && 'unknown' in text) {
    throw new SandpiperError('conflict', t('{0} has unsaved text in an encoding that is not UTF-8.', path), {
      hint: t('Save it first.'),
    });
  }
  if (text) {
    return { bytes: text.bytes, isUnsaved: true };
  }
  const full = join(folder.root, path);
  const { kind } = await readState(full);
  if (kind !== 'file' && kind !== 'absent') {
    throw new SandpiperError('conflict', t('{0} is not a plain file in your folder.', path));
  }
  const bytes = await readFile(full).catch((error: unknown) => {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  });
  return { bytes, isUnsaved: false };
}

/** The change that the editor's peek passes: its place in a list of ranges, counted from 1, an empty one with end 0. */
function readChange(changes: unknown, index: unknown): ShownChange | undefined {
  const list: unknown[] = Array.isArray(changes) ? changes : [];
  const change: unknown = typeof index === 'number' ? list[index] : undefined;
  const number = (name: string): number => {
    const value: unknown = typeof change === 'object' && change !== null ? Reflect.get(change, name) : undefined;
    return typeof value === 'number' ? value : Number.NaN;
  };
  const range = (from: number, to: number) => (to === 0 ? { start: from, end: from } : { start: from - 1, end: to });
  const shown = {
    accepted: range(number('originalStartLineNumber'), number('originalEndLineNumber')),
    user: range(number('modifiedStartLineNumber'), number('modifiedEndLineNumber')),
  };
  const isWhole = [shown.accepted, shown.user].every(({ start, end }) => start >= 0 && end >= start);
  return isWhole ? shown : undefined;
}

/** The repository's line ends and the user's may differ. */
function withLf(content: Buffer): string {
  return content.toString('latin1').replaceAll('\r\n', '\n');
}
