import * as vscode from 'vscode';
import type { CallResult } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { ChatView } from '../chat/chatView.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { askConsent } from '../sessions/newSession.ts';
import { needsConsent, pickProvider } from '../sessions/draftDecisions.ts';
import { readSetting } from '../settings.ts';
import { dateTime, t } from '../../../protocol/text.ts';

type Conversation = CallResult<'import.list'>['conversations'][number];

interface Dependencies {
  relay: RelayLink;
  chat: ChatView;
}

const SCHEME = 'sandpiper-import';

type Row = vscode.QuickPickItem & { conversation: Conversation };

/** Shows the person's own conversations with Claude Code, lets them read one, and goes on with it in a sandbox. */
export async function importSession({ relay, chat }: Dependencies): Promise<void> {
  const { conversations } = await relay.call('import.list', {});
  if (conversations.length === 0) {
    throw new SandpiperError('not_found', t('There is no conversation of Claude Code on the machine of the relay.'), {
      hint: t('Claude Code keeps them in ~/.claude/projects, or under CLAUDE_CONFIG_DIR.'),
    });
  }
  const chosen = await choose(conversations);
  if (!chosen) {
    return;
  }
  const includeUncommitted = await askUncommitted(chosen);
  if (includeUncommitted === undefined) {
    return;
  }
  const { providers } = await relay.call('relay.info', {});
  const wanted = readSetting('session.provider');
  const acceptNoIsolation = needsConsent(providers, wanted);
  if (acceptNoIsolation && !(await askConsent())) {
    return;
  }
  const budgetUsd = readSetting('session.budgetUsd');
  const { sessionId } = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: t('Importing "{0}"', chosen.title) },
    () =>
      relay.call('import.start', {
        id: chosen.id,
        includeUncommitted,
        acceptNoIsolation,
        permissionMode: readSetting('session.permissionMode'),
        ...pickProvider(providers, wanted),
        ...(budgetUsd > 0 ? { budgetUsd } : {}),
      }),
  );
  await chat.reveal(sessionId);
}

/** Texts of conversations, to be read only. */
export class ImportPreviews implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #relay: RelayLink;
  readonly #registration: vscode.Disposable;

  constructor(relay: RelayLink) {
    this.#relay = relay;
    this.#registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  async provideTextDocumentContent({ query }: vscode.Uri): Promise<string> {
    const { text, skipped } = await this.#relay.call('import.preview', { id: query });
    return skipped > 0 ? t('[{0} lines could not be read.]\n\n{1}', skipped, text) : text;
  }

  dispose(): void {
    this.#registration.dispose();
  }
}

function choose(conversations: readonly Conversation[]): Promise<Conversation | undefined> {
  const box = vscode.window.createQuickPick<Row>();
  box.title = t('Import a Claude Code Session');
  box.placeholder = t('Conversation to go on with in a sandbox; yours stays as it is');
  box.matchOnDescription = true;
  box.matchOnDetail = true;
  const preview: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('open-preview'), tooltip: t('Preview') };
  box.items = conversations.map(conversation => ({
    label: conversation.title.replaceAll('$(', '$\u200B('),
    description: t('{0}, {1} KB', dateTime(conversation.updatedAt), Math.ceil(conversation.bytes / 1024)),
    detail: `${conversation.folder}${conversation.branch === undefined ? '' : ` (${conversation.branch})`}`,
    buttons: [preview],
    conversation,
  }));
  return new Promise(resolve => {
    let chosen: Conversation | undefined;
    box.onDidTriggerItemButton(({ item }) => {
      box.ignoreFocusOut = true;
      const { id, title } = item.conversation;
      const name = title.replaceAll(/[^\p{L}\p{N} ]/gu, ' ').slice(0, 60);
      const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}.txt`, query: id });
      void vscode.window.showTextDocument(uri, { preserveFocus: true, preview: true });
    });
    box.onDidAccept(() => {
      chosen = box.activeItems[0]?.conversation;
      box.hide();
    });
    box.onDidHide(() => {
      box.dispose();
      resolve(chosen);
    });
    box.show();
  });
}

async function askUncommitted({ folder, branch }: Conversation): Promise<boolean | undefined> {
  const rows = [
    { label: t('Committed Files Only'), description: branch ?? 'HEAD', uncommitted: false },
    { label: t('With Uncommitted Work'), description: t('a snapshot of the folder as it is now'), uncommitted: true },
  ];
  const chosen = await vscode.window.showQuickPick(rows, {
    title: t('Files of {0}', folder),
    placeHolder: t('What the agent starts from'),
  });
  return chosen?.uncommitted;
}
