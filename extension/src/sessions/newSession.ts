import * as vscode from 'vscode';
import type { ClientParams } from '../../../client/relayClient.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { PermissionMode } from '../../../protocol/events.ts';
import type { DraftContext, RequestParams, WebviewError } from '../../../protocol/webviewApi.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import { readSetting } from '../settings.ts';
import type { WorkspaceFolder } from '../workspaceFolder.ts';
import { draftNotes, needsConsent, orderProviders, pickProvider } from './draftDecisions.ts';
import { t } from '../../../protocol/text.ts';

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
    const wanted = readSetting('session.provider');
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
        providers: orderProviders(info.providers, wanted),
        needsConsent: needsConsent(info.providers, wanted),
        notes: draftNotes(info, 'repository' in inspected ? inspected.repository : undefined, wanted),
        modelKeyPresent: info.modelKey.present,
      };
    } catch (thrown) {
      return { ...base, problem: toWebviewError(thrown) };
    }
  }

  /** Has the relay get ready what a session on the open folder will need. */
  async warm(): Promise<void> {
    const { providers } = await this.#relay.call('relay.info', {});
    const source = this.#folder.current().uri.fsPath;
    await this.#relay.call('repository.warm', { source, ...pickProvider(providers, readSetting('session.provider')) });
  }

  /**
   * Starts one. Where nothing isolates the agent, the person is asked here unless they already consented in the page.
   * @returns undefined when they declined
   */
  start(params: RequestParams<'startSession'>): Promise<{ sessionId: string } | undefined> {
    const { acceptNoIsolation, ...start } = params;
    return this.#create(start, acceptNoIsolation === true);
  }

  /** Starts one that builds a spec, with the model and the uncommitted work that the settings say. */
  build(
    spec: NonNullable<ClientParams<'session.create'>['spec']>,
    permissionMode: PermissionMode,
  ): Promise<{ sessionId: string } | undefined> {
    const model = readSetting('session.model');
    const includeUncommitted = readSetting('session.includeUncommittedChanges');
    return this.#create(
      { prompt: '', spec, includeUncommitted, permissionMode, ...(model === '' ? {} : { model }) },
      false,
    );
  }

  /** Starts one in which the agent only talks and plans. */
  talk(prompt: string): Promise<{ sessionId: string } | undefined> {
    return this.#create({ prompt, permissionMode: 'plan' }, false);
  }

  async #create(
    params: Omit<ClientParams<'session.create'>, 'source'>,
    consent: boolean,
  ): Promise<{ sessionId: string } | undefined> {
    const source = this.#folder.current().uri.fsPath;
    const { providers } = await this.#relay.call('relay.info', {});
    const wanted = readSetting('session.provider');
    if (needsConsent(providers, wanted) && !consent && !(await askConsent())) {
      return undefined;
    }
    const { sessionId } = await this.#relay.call('session.create', {
      ...params,
      source,
      acceptNoIsolation: needsConsent(providers, wanted),
      ...pickProvider(providers, wanted),
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
  const run = t('Run Without Isolation');
  const chosen = await vscode.window.showWarningMessage(
    t('Run the agent without isolation?'),
    {
      modal: true,
      detail: t(
        'Nothing on this machine can put the agent into a sandbox. It would run as you: it could read and change all that you can, and use your network.',
      ),
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
