import * as vscode from 'vscode';
import type { Log } from '../log.ts';
import type { EmbeddedRelay } from './embeddedRelay.ts';
import type { RelayConnection } from './relayConnection.ts';

/** Shows what the relay wrote about itself; where it writes elsewhere, what this window knows of it. */
export class RelayLog {
  readonly #relay: RelayConnection;
  readonly #embedded: EmbeddedRelay;
  readonly #log: Log;

  constructor(relay: RelayConnection, embedded: EmbeddedRelay, log: Log) {
    this.#relay = relay;
    this.#embedded = embedded;
    this.#log = log;
  }

  async show(): Promise<void> {
    this.#log.show();
    if ((await this.#relay.target()).kind !== 'embedded') {
      return;
    }
    const file = vscode.Uri.file(this.#embedded.logFile);
    try {
      await vscode.workspace.fs.stat(file);
    } catch {
      return;
    }
    await vscode.window.showTextDocument(file, { preview: true });
  }
}
