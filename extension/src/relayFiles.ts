import * as vscode from 'vscode';

/**
 * What the file systems of this extension have in common: files come from the relay, and nobody makes, moves or removes any
 * there. One that can be written to has a `writeFile` of its own.
 */
export abstract class RelayFiles implements vscode.FileSystemProvider, vscode.Disposable {
  readonly #registration: vscode.Disposable;
  readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();

  readonly onDidChangeFile = this.#changed.event;

  constructor(scheme: string, options: { isReadonly: boolean }) {
    this.#registration = vscode.workspace.registerFileSystemProvider(scheme, this, {
      isCaseSensitive: true,
      ...options,
    });
  }

  abstract stat(uri: vscode.Uri): Promise<vscode.FileStat>;

  abstract readFile(uri: vscode.Uri): Promise<Uint8Array>;

  /** Changes are told for what was read; there is nothing to set up. */
  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  readDirectory(_uri: vscode.Uri): [string, vscode.FileType][] | Promise<[string, vscode.FileType][]> {
    return [];
  }

  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: vscode.Uri, _content: Uint8Array): Promise<void> {
    return Promise.reject(vscode.FileSystemError.NoPermissions(uri));
  }

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }

  /** Tells the editor that these files are others now. */
  protected tellChanged(uris: readonly vscode.Uri[]): void {
    this.#changed.fire(uris.map(uri => ({ type: vscode.FileChangeType.Changed, uri })));
  }
}
