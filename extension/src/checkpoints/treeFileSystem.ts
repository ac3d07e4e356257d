import * as vscode from 'vscode';
import type { CallResult } from '../../../protocol/calls.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import { TREE_SCHEME } from '../manifest.ts';
import { RelayFiles } from '../relayFiles.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { fileText } from '../review/fileText.ts';
import { fromTreeParts, type TreePlace } from './treeUri.ts';

const MAX_CACHED = 64;

type Folder = CallResult<'changes.folder'>;

/**
 * The files of any checkpoint, read-only. A file that a commit does not have is an empty document, as a comparison needs it.
 */
export class TreeFileSystem extends RelayFiles {
  readonly #relay: RelayLink;
  /** By URI, least recently used first: what a commit has never changes. */
  readonly #files = new Map<string, Promise<Uint8Array>>();

  constructor(relay: RelayLink) {
    super(TREE_SCHEME, { isReadonly: true });
    this.#relay = relay;
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const place = parse(uri);
    const fixed = { ctime: 0, mtime: 0, permissions: vscode.FilePermission.Readonly };
    if ((await this.#folder(place)).exists) {
      return { ...fixed, type: vscode.FileType.Directory, size: 0 };
    }
    return { ...fixed, type: vscode.FileType.File, size: (await this.#content(uri, place)).byteLength };
  }

  readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return this.#content(uri, parse(uri));
  }

  override async readDirectory(uri: vscode.Uri): Promise<[string, vscode.FileType][]> {
    const folder = await this.#folder(parse(uri));
    if (!folder.exists) {
      throw vscode.FileSystemError.FileNotFound(uri);
    }
    return folder.entries.map(({ name, kind }) => [
      name,
      kind === 'folder' || kind === 'submodule' ? vscode.FileType.Directory : vscode.FileType.File,
    ]);
  }

  async #folder({ sessionId, commit, path }: TreePlace): Promise<Folder> {
    return this.#asked(this.#relay.call('changes.folder', { sessionId, tree: `commit:${commit}`, path }));
  }

  #content(uri: vscode.Uri, { sessionId, commit, path }: TreePlace): Promise<Uint8Array> {
    const key = uri.toString();
    const content =
      this.#files.get(key) ??
      this.#asked(this.#relay.call('changes.file', { sessionId, side: `commit:${commit}`, path })).then(fileText);
    this.#files.delete(key);
    this.#files.set(key, content);
    content.catch(() => this.#files.delete(key));
    const oldest = this.#files.keys().next();
    if (this.#files.size > MAX_CACHED && oldest.value !== undefined) {
      this.#files.delete(oldest.value);
    }
    return content;
  }

  async #asked<Result>(answer: Promise<Result>): Promise<Result> {
    try {
      return await answer;
    } catch (thrown) {
      throw vscode.FileSystemError.Unavailable(toSandpiperError(thrown).message);
    }
  }
}

function parse(uri: vscode.Uri): TreePlace {
  const place = fromTreeParts(uri);
  if (!place) {
    throw vscode.FileSystemError.FileNotFound(uri);
  }
  return place;
}
