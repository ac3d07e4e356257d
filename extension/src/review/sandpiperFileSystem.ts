import * as vscode from 'vscode';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { DisposableStore } from '../disposables.ts';
import { SCHEME } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { fileText } from './fileText.ts';
import { fromUriParts } from './sessionUri.ts';
import type { SessionFile } from './sessionUri.ts';

const MAX_CACHED = 64;

/**
 * A session's files at each side, as documents that the editor can diff and restore after a reload. Read-only.
 * A file that a side does not have is an empty document: a deleted file needs one to carry what is said about it.
 */
export class SandpiperFileSystem implements vscode.FileSystemProvider, vscode.Disposable {
  readonly #relay: RelayLink;
  readonly #disposables = new DisposableStore();
  readonly #changed = this.#disposables.add(new vscode.EventEmitter<vscode.FileChangeEvent[]>());
  /** By URI, least recently used first. Stat and read of one document come together and cost one call. */
  readonly #cache = new Map<string, Promise<Uint8Array>>();
  /** Moves when a session has another checkpoint; a document's mtime, so that the editor reads it anew. */
  readonly #versions = new Map<string, number>();
  readonly #watched = new Map<string, vscode.Uri>();

  readonly onDidChangeFile = this.#changed.event;

  constructor(relay: RelayLink, store: SessionStore) {
    this.#relay = relay;
    this.#disposables.add(
      vscode.workspace.registerFileSystemProvider(SCHEME, this, { isCaseSensitive: true, isReadonly: true }),
    );
    this.#disposables.add(
      store.onDidChangeSession(({ before, after }) => {
        if (before && sidesMoved(before, after)) {
          this.refresh(after.id);
        }
      }),
    );
  }

  /** Lets open documents of a session show its sides as they are now. */
  refresh(sessionId: string): void {
    this.#versions.set(sessionId, this.#version(sessionId) + 1);
    const isOfSession = (uri: vscode.Uri) => fromUriParts(uri)?.sessionId === sessionId;
    for (const key of [...this.#cache.keys()].filter(cached => isOfSession(vscode.Uri.parse(cached)))) {
      this.#cache.delete(key);
    }
    // The editor watches what a plain editor shows, but not the documents of a multi-file diff.
    const open = vscode.workspace.textDocuments.map(document => document.uri).filter(isOfSession);
    const watched = [...this.#watched.values()].filter(isOfSession);
    const uris = new Map([...open, ...watched].map(uri => [uri.toString(), uri]));
    if (uris.size > 0) {
      this.#changed.fire([...uris.values()].map(uri => ({ type: vscode.FileChangeType.Changed, uri })));
    }
  }

  watch(uri: vscode.Uri): vscode.Disposable {
    const key = uri.toString();
    this.#watched.set(key, uri);
    return new vscode.Disposable(() => this.#watched.delete(key));
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const file = parse(uri);
    const content = await this.#content(uri, file);
    return {
      type: vscode.FileType.File,
      ctime: 0,
      mtime: this.#version(file.sessionId),
      size: content.byteLength,
      permissions: vscode.FilePermission.Readonly,
    };
  }

  readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return this.#content(uri, parse(uri));
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #version(sessionId: string): number {
    return this.#versions.get(sessionId) ?? 1;
  }

  #content(uri: vscode.Uri, file: SessionFile): Promise<Uint8Array> {
    const key = uri.toString();
    const content = this.#cache.get(key) ?? this.#read(file);
    this.#cache.delete(key);
    this.#cache.set(key, content);
    content.catch(() => this.#cache.delete(key));
    const oldest = this.#cache.keys().next();
    if (this.#cache.size > MAX_CACHED && oldest.value !== undefined) {
      this.#cache.delete(oldest.value);
    }
    return content;
  }

  async #read({ sessionId, side, path }: SessionFile): Promise<Uint8Array> {
    try {
      return fileText(await this.#relay.call('changes.file', { sessionId, side, path }));
    } catch (thrown) {
      throw vscode.FileSystemError.Unavailable(toSandpiperError(thrown).message);
    }
  }
}

function parse(uri: vscode.Uri): SessionFile {
  const file = fromUriParts(uri);
  if (!file) {
    throw vscode.FileSystemError.FileNotFound(uri);
  }
  return file;
}

/** The sides move when a turn has its checkpoint and when something is accepted; both are seen in the row of the list. */
function sidesMoved(before: SessionSummary, after: SessionSummary): boolean {
  return before.pending !== after.pending || (after.phase === 'idle' && before.phase !== 'idle');
}
