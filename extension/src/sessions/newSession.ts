import * as vscode from 'vscode';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { DraftContext, RequestParams, WebviewError } from '../../../protocol/webviewApi.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import { readSetting } from '../settings.ts';
import type { WorkspaceFolder } from '../workspaceFolder.ts';
import { draftNotes, needsConsent, pickProvider } from './draftDecisions.ts';

/** Starts sessions on the open folder, and knows what one would start from. */
export class NewSession {
  readonly #relay: RelayConnection;
  readonly #folder: WorkspaceFolder;

  constructor(relay: RelayConnection, folder: WorkspaceFolder) {
    this.#relay = relay;
    this.#folder = folder;
  }

  /** What the composer shows. Never throws: what is wrong becomes `problem`. */
  async draft(): Promise<DraftContext> {
    const model = readSetting('session.model');
    const base: DraftContext = {
      canChoose: this.#folder.canChoose,
      providers: [],
      needsConsent: false,
      notes: [],
      modelKeyPresent: true,
      defaults: {
        permissionMode: readSetting('session.permissionMode'),
        includeUncommitted: readSetting('session.includeUncommittedChanges'),
        ...(model === '' ? {} : { model }),
      },
    };
    try {
      const source = this.#folder.current().uri.fsPath;
      const [info, inspected] = await Promise.all([
        this.#relay.call('relay.info', {}),
        this.#relay.call('repository.inspect', { source }).then(
          repository => ({ repository }),
          (thrown: unknown) => ({ problem: toWebviewError(thrown) }),
        ),
      ]);
      return {
        ...base,
        ...inspected,
        providers: info.providers,
        needsConsent: needsConsent(info.providers),
        notes: draftNotes(info, 'repository' in inspected ? inspected.repository : undefined),
        modelKeyPresent: info.modelKey.present,
      };
    } catch (thrown) {
      return { ...base, problem: toWebviewError(thrown) };
    }
  }

  /**
   * Starts one. Where nothing isolates the agent, the person is asked here unless they already consented in the page.
   * @returns undefined when they declined
   */
  async start(params: RequestParams<'startSession'>): Promise<{ sessionId: string } | undefined> {
    const source = this.#folder.current().uri.fsPath;
    const { providers } = await this.#relay.call('relay.info', {});
    const consent = params.acceptNoIsolation === true;
    if (needsConsent(providers) && !consent && !(await askConsent())) {
      return undefined;
    }
    const { sessionId } = await this.#relay.call('session.create', {
      source,
      prompt: params.prompt,
      includeUncommitted: params.includeUncommitted,
      permissionMode: params.permissionMode,
      acceptNoIsolation: needsConsent(providers),
      ...pickProvider(providers),
      ...(params.model === undefined ? {} : { model: params.model }),
      ...budget(),
    });
    return { sessionId };
  }
}

function budget(): { budgetUsd?: number } {
  const budgetUsd = readSetting('session.budgetUsd');
  return budgetUsd > 0 ? { budgetUsd } : {};
}

export async function askConsent(): Promise<boolean> {
  const run = 'Run Without Isolation';
  const chosen = await vscode.window.showWarningMessage(
    'Run the agent without isolation?',
    {
      modal: true,
      detail:
        'Nothing on this machine can put the agent into a sandbox. It would run as you: it could read and change all that you can, and use your network.',
    },
    run,
  );
  return chosen === run;
}

/** Whatever was thrown, in the shape the page shows. */
export function toWebviewError(thrown: unknown): WebviewError {
  const error = toSandpiperError(thrown);
  return { ...error.toWire(), message: error.message };
}
