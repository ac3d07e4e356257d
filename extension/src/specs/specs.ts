import * as vscode from 'vscode';
import { DisposableStore } from '../disposables.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import type { UserErrors } from '../userErrors.ts';
import { SpecFiles, nameOf, type StaleSpec } from './specFiles.ts';
import { SpecLenses } from './specLenses.ts';
import { SpecTree } from './specTree.ts';
import { t } from '../../../protocol/text.ts';

const COMPARE = t('Compare');
const OVERWRITE = t('Overwrite');

/** All that shows specs in the editor. */
export class Specs implements vscode.Disposable {
  readonly files: SpecFiles;
  readonly tree: SpecTree;
  readonly #disposables = new DisposableStore();

  constructor(relay: RelayConnection, store: SessionStore, errors: UserErrors) {
    this.files = this.#disposables.add(new SpecFiles(relay));
    this.tree = this.#disposables.add(new SpecTree(relay, store));
    this.#disposables.add(new SpecLenses(relay, store));
    this.#disposables.add(this.files.onDidSave(() => this.tree.refresh()));
    this.#disposables.add(
      relay.onDidChangeSpec(spec => {
        this.files.follow(spec);
        this.tree.refreshSoon();
      }),
    );
    // Nothing was told while there was no connection.
    this.#disposables.add(
      relay.onDidChangeState(() => {
        if (relay.state === 'connected') {
          this.files.follow();
          this.tree.refreshSoon();
        }
      }),
    );
    this.#disposables.add(
      this.files.onDidRefuse(stale => {
        askAboutStale(stale).catch((thrown: unknown) =>
          errors.show(thrown, { tag: 'command', doing: 'save the spec' }),
        );
      }),
    );
  }

  dispose(): void {
    this.#disposables.dispose();
  }
}

async function askAboutStale({ uri, now, overwrite }: StaleSpec): Promise<void> {
  const name = nameOf(uri);
  const chosen = await vscode.window.showWarningMessage(
    t('“{0}” was saved by somebody else while you edited it. Your text is still in the editor, unsaved.', name),
    COMPARE,
    OVERWRITE,
  );
  if (chosen === COMPARE) {
    await vscode.commands.executeCommand('vscode.diff', now, uri, t('{0} (as it is now ↔ your text)', name));
  } else if (chosen === OVERWRITE) {
    await overwrite();
  }
}
