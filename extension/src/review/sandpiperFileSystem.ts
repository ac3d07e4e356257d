import * as vscode from 'vscode';
import type { CallResult } from '../../../protocol/calls.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { DisposableStore } from '../disposables.ts';
import { SCHEME } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { RelayFiles } from '../relayFiles.ts';
import { BlobCache, blobId } from './blobCache.ts';
import { fileText, isEditable } from './fileText.ts';
import { keepLineEnds } from './lineEnds.ts';
import { blobAt } from './pendingBlobs.ts';
import type { PendingChanges, ReviewMove } from './pendingChanges.ts';
import { fileOfUri } from './reviewUris.ts';
import type { SessionFile } from './sessionUri.ts';
import { t } from '../../../protocol/text.ts';

/** What a document shows. */
interface Version {
  /** null when the side has no such file. */
  blob: string | null;
  /** Grows with every version, by which the editor knows that there is another. */
  mtime: number;
  size: number;
  editable: boolean;
}

/** A person's text that was made from another version than the side has now. It is still in the editor. */
export interface StaleWrite {
  uri: vscode.Uri;
  /** Writes it over what is there now. */
  overwrite(): Promise<void>;
}

/**
 * A session's files at each side, as documents that the editor can diff and restore after a reload. What is written to the
 * proposed side becomes the reviewer's edit; the others are read-only. A file that a side does not have is an empty
 * document: a deleted file needs one to carry what is said about it.
 */
export class SandpiperFileSystem extends RelayFiles {
  readonly #relay: RelayLink;
  readonly #pending: PendingChanges;
  readonly #disposables = new DisposableStore();
  readonly #refused = this.#disposables.add(new vscode.EventEmitter<StaleWrite>());
  readonly #blobs = new BlobCache();
  /** By URI: what the side has, as far as is known. */
  readonly #versions = new Map<string, Version>();
  /** By URI: what the editor took last, from which a person's text is made. */
  readonly #taken = new Map<string, Version>();
  readonly #loading = new Map<string, Promise<Uint8Array>>();
  /** URIs whose next write goes over whatever is there. */
  readonly #overwriting = new Set<string>();
  #clock = 0;

  /** Tells of a write that was refused because the file has moved on. */
  readonly onDidRefuse = this.#refused.event;

  constructor(relay: RelayLink, pending: PendingChanges) {
    super(SCHEME, { isReadonly: false });
    this.#relay = relay;
    this.#pending = pending;
    this.#disposables.add(pending.onDidMove(move => this.#follow(move)));
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const file = parse(uri);
    const { mtime, size, editable } = await this.#versionFor(uri, file);
    // A query marks a second view of what is there now, to compare an unsaved text with.
    const isReadonly = file.side !== 'proposed' || !editable || uri.query !== '';
    return {
      type: vscode.FileType.File,
      ctime: 0,
      mtime,
      size,
      ...(isReadonly ? { permissions: vscode.FilePermission.Readonly } : {}),
    };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const file = parse(uri);
    const key = uri.toString();
    const content = this.#known(file, this.#versions.get(key)) ?? (await this.#load(uri, file));
    const version = this.#versions.get(key);
    if (version) {
      this.#taken.set(key, version);
    }
    return content;
  }

  /** What the editor took last of a file, in which the reviewer may be typing. */
  savedText(uri: vscode.Uri): string | undefined {
    const file = fileOfUri(uri);
    const { blob } = this.#taken.get(uri.toString()) ?? {};
    const content = file && blob ? this.#blobs.get(cacheKey(file, blob)) : undefined;
    return content && new TextDecoder().decode(content);
  }

  /**
   * The editor also writes what nobody changed: saving a diff of many files saves all of them. Such writes are nothing.
   * @throws FileSystemError when the file has become another since the editor read it; the text stays unsaved there
   */
  override async writeFile(uri: vscode.Uri, written: Uint8Array): Promise<void> {
    const file = parse(uri);
    if (file.side !== 'proposed') {
      throw vscode.FileSystemError.NoPermissions(uri);
    }
    const key = uri.toString();
    const isOverwriting = this.#overwriting.delete(key);
    if (this.#isTaken(file, key, written)) {
      return;
    }
    try {
      const now = await this.#load(uri, file);
      const version = this.#versions.get(key);
      const taken = isOverwriting ? version : this.#taken.get(key);
      const content = keepLineEnds(now, written);
      if (!version || Buffer.compare(content, now) === 0) {
        return;
      }
      if (!version.editable) {
        throw vscode.FileSystemError.NoPermissions(uri);
      }
      if (taken?.blob !== version.blob) {
        throw new SandpiperError(
          'stale',
          t('{0} was changed by another decision or turn since you opened it.', file.path),
        );
      }
      const edit = { path: file.path, content: Buffer.from(content).toString('base64'), expected: version.blob };
      const sides = await this.#relay.call('review.edit', { sessionId: file.sessionId, ...edit });
      const blob = blobId(content, sides.proposed);
      this.#blobs.set(cacheKey(file, blob), content);
      this.#taken.set(key, this.#remember(key, { blob, size: content.byteLength, editable: true }));
      await this.#pending.reach(file.sessionId, sides).catch(() => undefined);
    } catch (thrown) {
      throw this.#refuse(uri, thrown);
    }
  }

  override dispose(): void {
    this.#disposables.dispose();
    super.dispose();
  }

  /** The content of a version, as far as it is kept. */
  #known(file: SessionFile, version: Version | undefined): Uint8Array | undefined {
    if (!version) {
      return undefined;
    }
    return version.blob === null ? new Uint8Array() : this.#blobs.get(cacheKey(file, version.blob));
  }

  /** Whether that is what the editor read, which nobody changed. */
  #isTaken(file: SessionFile, key: string, written: Uint8Array): boolean {
    const content = this.#known(file, this.#taken.get(key));
    return content !== undefined && Buffer.compare(keepLineEnds(content, written), content) === 0;
  }

  #refuse(uri: vscode.Uri, thrown: unknown): unknown {
    if (thrown instanceof vscode.FileSystemError) {
      return thrown;
    }
    const { code, message } = toSandpiperError(thrown);
    if (code !== 'stale') {
      return vscode.FileSystemError.Unavailable(message);
    }
    this.#refused.fire({ uri, overwrite: () => this.#overwrite(uri) });
    return vscode.FileSystemError.Unavailable(t('{0} Your text is kept here, unsaved.', message));
  }

  async #overwrite(uri: vscode.Uri): Promise<void> {
    const document = vscode.workspace.textDocuments.find(open => open.uri.toString() === uri.toString());
    this.#overwriting.add(uri.toString());
    try {
      await document?.save();
    } finally {
      this.#overwriting.delete(uri.toString());
    }
  }

  /**
   * While a person's text is unsaved, the file is to the editor what it was made from: its own guard against overwriting
   * looks at time and size and misses changes of the same size, so only ours decides.
   */
  async #versionFor(uri: vscode.Uri, file: SessionFile): Promise<Version> {
    const key = uri.toString();
    const taken = isUnsaved(uri) ? this.#taken.get(key) : undefined;
    const version = taken ?? this.#versions.get(key);
    if (version) {
      return version;
    }
    await this.#load(uri, file);
    return this.#versions.get(key) ?? { blob: null, mtime: 1, size: 0, editable: false };
  }

  /** What the side has now. Stat and read of one document come together and cost one call. */
  #load(uri: vscode.Uri, file: SessionFile): Promise<Uint8Array> {
    const key = uri.toString();
    const loading =
      this.#loading.get(key) ??
      this.#read(file)
        .then(result => {
          const content = fileText(result);
          if (result.blob !== null) {
            this.#blobs.set(cacheKey(file, result.blob), content);
          }
          this.#remember(key, { blob: result.blob, size: content.byteLength, editable: isEditable(result) });
          return content;
        })
        .finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  async #read({ sessionId, side, path }: SessionFile): Promise<CallResult<'changes.file'>> {
    try {
      // So that later moves of the review are heard.
      const [file] = await Promise.all([
        this.#relay.call('changes.file', { sessionId, side, path }),
        this.#pending.get(sessionId).catch(() => undefined),
      ]);
      return file;
    } catch (thrown) {
      throw vscode.FileSystemError.Unavailable(toSandpiperError(thrown).message);
    }
  }

  #remember(key: string, version: Omit<Version, 'mtime'>): Version {
    const before = this.#versions.get(key);
    if (before && before.blob === version.blob) {
      return before;
    }
    this.#clock = Math.max(Date.now(), this.#clock + 1);
    const remembered = { ...version, mtime: this.#clock };
    this.#versions.set(key, remembered);
    return remembered;
  }

  /** Lets the documents show what a decision or a turn made of their files, and leaves all others alone. */
  #follow({ sessionId, before, after }: ReviewMove): void {
    const visible = new Set(vscode.window.visibleTextEditors.map(editor => editor.document.uri.toString()));
    const changed = [...this.#versions].flatMap(([key, version]) => {
      const uri = vscode.Uri.parse(key, true);
      const file = fileOfUri(uri);
      if (file?.sessionId !== sessionId || (file.side !== 'accepted' && file.side !== 'proposed')) {
        return [];
      }
      const blob = blobAt(after, file);
      // What was pending neither before nor after is what it was, unless two decisions came at once.
      const isUnknown = blob === undefined && (visible.has(key) || !before || blobAt(before, file) !== undefined);
      return isUnknown || (blob !== undefined && blob !== version.blob) ? [{ key, uri }] : [];
    });
    for (const { key } of changed) {
      this.#versions.delete(key);
    }
    if (changed.length > 0) {
      this.tellChanged(changed.map(({ uri }) => uri));
    }
  }
}

function parse(uri: vscode.Uri): SessionFile {
  const file = fileOfUri(uri);
  if (!file) {
    throw vscode.FileSystemError.FileNotFound(uri);
  }
  return file;
}

/** Sessions may be of repositories that have nothing to do with each other. */
function cacheKey({ sessionId }: SessionFile, blob: string): string {
  return `${sessionId} ${blob}`;
}

function isUnsaved(uri: vscode.Uri): boolean {
  const key = uri.toString();
  return vscode.workspace.textDocuments.some(document => document.isDirty && document.uri.toString() === key);
}
