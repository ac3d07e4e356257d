import { mkdir, open, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { toError } from '../../../protocol/errors.ts';
import { DisposableStore } from '../disposables.ts';
import type { Log } from '../log.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import { readSetting } from '../settings.ts';
import type { SessionStore } from './sessionStore.ts';
import { groupOf } from '../../../protocol/sessionGroup.ts';
import { t } from '../../../protocol/text.ts';

/** A relay that restarts is back by then; the status item shows a loss at once. */
const PATIENCE_MS = 30_000;
/** Windows lose a relay at the same time. */
const ONCE_MS = 120_000;
/** A window in which nobody works leaves it to the others. */
const UNFOCUSED_MS = 2_000;

/** Tells that the relay stays away while sessions are under way: nobody hears from them any more. */
export class LostRelay implements vscode.Disposable {
  readonly #relay: RelayConnection;
  readonly #store: SessionStore;
  readonly #folder: string;
  readonly #log: Log;
  readonly #disposables = new DisposableStore();
  #timer: NodeJS.Timeout | undefined;

  /** @param folder that every window of this person on this machine has */
  constructor(relay: RelayConnection, store: SessionStore, folder: string, log: Log) {
    this.#relay = relay;
    this.#store = store;
    this.#folder = folder;
    this.#log = log;
    this.#disposables.add(relay.onDidChangeState(() => this.#onState()));
    this.#disposables.add({ dispose: () => clearTimeout(this.#timer) });
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #onState(): void {
    if (this.#relay.state !== 'offline') {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      return;
    }
    const patienceMs = PATIENCE_MS + (vscode.window.state.focused ? 0 : UNFOCUSED_MS);
    this.#timer ??= setTimeout(() => {
      this.#tell().catch((thrown: unknown) =>
        this.#log.warn('sessions', `The loss of the relay was not told: ${toError(thrown).message}`),
      );
    }, patienceMs);
  }

  async #tell(): Promise<void> {
    const open = this.#store.summaries.filter(summary => ['running', 'needsYou'].includes(groupOf(summary)));
    if (open.length === 0 || !readSetting('notifications.disconnected') || !(await this.#isFirst())) {
      return;
    }
    const sessions = open.length === 1 ? `"${open[0]?.title ?? ''}"` : t('{0} sessions', open.length);
    const chosen = await vscode.window.showWarningMessage(
      `${t('The relay is out of reach, and {0} cannot be followed.', sessions)} ${this.#relay.detail ?? ''}`.trim(),
      t('Retry Now'),
      t('Show Log'),
    );
    if (chosen !== undefined) {
      await vscode.commands.executeCommand(
        chosen === t('Retry Now') ? 'sandpiper.reconnectRelay' : 'sandpiper.showLog',
      );
    }
  }

  /** Whether no other window of this person has told it. Without the relay a file has to say so. */
  async #isFirst(): Promise<boolean> {
    await mkdir(this.#folder, { recursive: true });
    const path = join(this.#folder, 'relay-lost');
    try {
      await (await open(path, 'wx')).close();
      return true;
    } catch {
      const { mtimeMs } = await stat(path);
      const now = new Date();
      await utimes(path, now, now);
      return now.getTime() - mtimeMs > ONCE_MS;
    }
  }
}
