import * as vscode from 'vscode';
import { toSandpiperError } from '../../protocol/errors.ts';
import { ACTION_TITLES, errorActions, installOf } from './errorActions.ts';
import type { ErrorAction } from './errorActions.ts';
import type { Log, LogTag } from './log.ts';
import type { CommandId } from './manifest.ts';
import { userText } from './userText.ts';
import { t } from '../../protocol/text.ts';

export interface ErrorContext {
  tag: LogTag;
  /** What was being done, as a verb phrase: "open the changes". */
  doing: string;
  /** Does it again; without it the error has no Retry. */
  retry?: () => void;
  sessionId?: string;
}

/** The only place that shows an error to a person. */
export class UserErrors {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Shows and logs it. Does not wait for the person. */
  show(thrown: unknown, context: ErrorContext): void {
    const error = toSandpiperError(thrown);
    this.#log.error(context.tag, `Could not ${context.doing} (${error.code})`, error);
    const install = installOf(error, process.platform);
    const actions = errorActions(error.code, context.retry !== undefined).filter(
      action => action !== 'copyInstall' || install !== undefined,
    );
    const present =
      error.code === 'conflict' || error.code === 'nothing_to_land' || error.code === 'review_pending'
        ? vscode.window.showInformationMessage
        : vscode.window.showErrorMessage;
    const titles = actions.map(action => ACTION_TITLES[action]);
    void present(userText(error), ...titles).then(chosen => {
      const action = actions.find(one => ACTION_TITLES[one] === chosen);
      if (action) {
        this.#run(action, context, install);
      }
    });
  }

  #run(action: ErrorAction, context: ErrorContext, install: string | undefined): void {
    switch (action) {
      case 'retry':
        context.retry?.();
        break;
      case 'copyInstall':
        void vscode.env.clipboard.writeText(install ?? '').then(() => {
          vscode.window.setStatusBarMessage(t('Sandpiper: copied. Run it in a terminal.'), 5000);
        });
        break;
      case 'setModelKey':
      case 'connectRelay':
      case 'restartRelay':
      case 'showLog':
        runCommand(`sandpiper.${action}`);
        break;
      case 'openBlockSetting':
        void vscode.commands.executeCommand(
          'workbench.action.openSettings',
          'sandpiper.review.blockLandingWhilePending',
        );
        break;
      case 'openChanges':
      case 'checkPolicy':
        runCommand(`sandpiper.${action}`, context.sessionId);
        break;
    }
  }
}

function runCommand(id: CommandId, ...args: unknown[]): void {
  void vscode.commands.executeCommand(id, ...args);
}
