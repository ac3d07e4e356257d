import * as vscode from 'vscode';
import { DisposableStore } from '../disposables.ts';
import type { UserErrors } from '../userErrors.ts';
import { fileOfUri } from './reviewUris.ts';
import type { SandpiperFileSystem, StaleWrite } from './sandpiperFileSystem.ts';
import { t } from '../../../protocol/text.ts';

const COMPARE = t('Compare');
const OVERWRITE = t('Overwrite');

/** Offers the ways on when a reviewer's text was not saved because the file has moved on. */
export class StaleWrites implements vscode.Disposable {
  readonly #errors: UserErrors;
  readonly #disposables = new DisposableStore();
  readonly #asking = new Set<string>();

  constructor(files: SandpiperFileSystem, errors: UserErrors) {
    this.#errors = errors;
    this.#disposables.add(
      files.onDidRefuse(write => {
        this.#ask(write).catch((thrown: unknown) => {
          this.#errors.show(thrown, { tag: 'review', doing: 'save your edit' });
        });
      }),
    );
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  async #ask(write: StaleWrite): Promise<void> {
    const { uri } = write;
    const key = uri.toString();
    if (this.#asking.has(key)) {
      return;
    }
    this.#asking.add(key);
    try {
      const name = fileOfUri(uri)?.path ?? uri.path;
      const chosen = await vscode.window.showWarningMessage(
        t(
          '{0} was changed by another decision or turn while you edited it. Your text is still in the editor, unsaved.',
          name,
        ),
        COMPARE,
        OVERWRITE,
      );
      if (chosen === COMPARE) {
        const now = uri.with({ query: 'now' });
        await vscode.commands.executeCommand('vscode.diff', now, uri, t('{0} (as it is now ↔ your text)', name));
      } else if (chosen === OVERWRITE) {
        await write.overwrite();
      }
    } finally {
      this.#asking.delete(key);
    }
  }
}
