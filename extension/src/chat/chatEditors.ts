import * as vscode from 'vscode';
import { isRecord } from '../../../protocol/isRecord.ts';
import { DisposableStore } from '../disposables.ts';
import { CHAT_EDITOR } from '../manifest.ts';
import { ChatPage, type ChatDependencies, type ChatPlace } from './chatPage.ts';
import { t } from '../../../protocol/text.ts';

const NO_SESSION = t('New Session');

interface ChatEditor {
  panel: vscode.WebviewPanel;
  page: ChatPage;
}

/** Sessions in editor tabs, which may stand in windows of their own. They are back after a reload. */
export class ChatEditors implements vscode.Disposable {
  readonly #deps: ChatDependencies;
  readonly #onSelect: (sessionId: string | undefined) => void;
  readonly #disposables = new DisposableStore();
  readonly #open = new Set<ChatEditor>();

  /** @param onSelect an editor shows another session, or another editor is in front */
  constructor(deps: ChatDependencies, onSelect: (sessionId: string | undefined) => void) {
    this.#deps = deps;
    this.#onSelect = onSelect;
    this.#disposables.add(
      vscode.window.registerWebviewPanelSerializer(CHAT_EDITOR, {
        deserializeWebviewPanel: (panel, saved: unknown) => {
          this.#fill(panel, sessionOf(saved));
          return Promise.resolve();
        },
      }),
    );
    this.#disposables.add(deps.store.onDidChange(() => this.#nameAll()));
  }

  /** The session of the editor that has the focus, or had it last in the active group. */
  activeSessionId(): string | undefined {
    return [...this.#open].find(({ panel }) => panel.active)?.page.sessionId;
  }

  isVisible(sessionId: string): boolean {
    return [...this.#open].some(({ panel, page }) => panel.visible && page.sessionId === sessionId);
  }

  /** Shows a session in an editor: in the one that has it already, else in a new one. */
  open(sessionId: string): void {
    const known = [...this.#open].find(({ page }) => page.sessionId === sessionId);
    if (known) {
      known.panel.reveal();
      return;
    }
    const panel = vscode.window.createWebviewPanel(CHAT_EDITOR, NO_SESSION, vscode.ViewColumn.Active, {
      retainContextWhenHidden: false,
    });
    this.#fill(panel, sessionId);
    this.#onSelect(sessionId);
  }

  /** Shows a session in a window of its own, which is another part of this one. */
  async openInNewWindow(sessionId: string): Promise<void> {
    this.open(sessionId);
    await vscode.commands.executeCommand('workbench.action.moveEditorToNewWindow');
  }

  dispose(): void {
    this.#disposables.dispose();
    this.#open.forEach(({ page }) => page.dispose());
  }

  #fill(panel: vscode.WebviewPanel, sessionId: string | undefined): void {
    const place: ChatPlace = {
      select: id => page.select(id),
      reveal: id => {
        page.select(id);
        panel.reveal();
        return Promise.resolve();
      },
      showItem: (id, itemId) => {
        page.select(id);
        page.show(id, itemId);
        panel.reveal();
        return Promise.resolve();
      },
      sendDraft: () => page.sendDraft(),
    };
    const page: ChatPage = new ChatPage(this.#deps, place, sessionId, {
      onSelect: id => {
        this.#name(editor);
        this.#onSelect(id);
      },
    });
    const editor: ChatEditor = { panel, page };
    this.#open.add(editor);
    const listeners = new DisposableStore();
    listeners.add(
      panel.onDidChangeViewState(() => {
        if (!panel.visible) {
          page.hide();
        }
        if (panel.active) {
          this.#onSelect(page.sessionId);
        }
      }),
    );
    listeners.add(page);
    listeners.add(page.attach(panel.webview));
    panel.onDidDispose(() => {
      this.#open.delete(editor);
      listeners.dispose();
    });
    panel.iconPath = vscode.Uri.joinPath(this.#deps.extensionUri, 'media', 'icon.png');
    this.#name(editor);
  }

  #nameAll(): void {
    this.#open.forEach(editor => this.#name(editor));
  }

  #name({ panel, page }: ChatEditor): void {
    const { sessionId } = page;
    const title = sessionId === undefined ? NO_SESSION : (this.#deps.store.get(sessionId)?.title ?? panel.title);
    if (panel.title !== title) {
      panel.title = title;
    }
  }
}

/** What the page remembered of itself, which another version may have written. */
function sessionOf(saved: unknown): string | undefined {
  return isRecord(saved) && typeof saved['sessionId'] === 'string' ? saved['sessionId'] : undefined;
}
