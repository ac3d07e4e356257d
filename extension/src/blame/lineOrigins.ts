import * as vscode from 'vscode';
import type { Blamed } from '../../../protocol/blame.ts';
import { sideOf } from '../comments/commentThreads.ts';
import { DisposableStore } from '../disposables.ts';
import type { Log } from '../log.ts';
import { SCHEME } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { originText } from './originText.ts';
import { t } from '../../../protocol/text.ts';

/** Says of every line of a review where it comes from, when the mouse or the cursor is on it. */
export class LineOrigins implements vscode.HoverProvider, vscode.Disposable {
  readonly #relay: RelayLink;
  readonly #log: Log;
  readonly #disposables = new DisposableStore();

  constructor(relay: RelayLink, log: Log) {
    this.#relay = relay;
    this.#log = log;
    this.#disposables.add(vscode.languages.registerHoverProvider({ scheme: SCHEME }, this));
  }

  async provideHover(document: vscode.TextDocument, { line }: vscode.Position): Promise<vscode.Hover | undefined> {
    const side = sideOf(document.uri);
    // Lines that are not saved are not where the relay counts them.
    if (!side || document.isDirty || line >= document.lineCount) {
      return undefined;
    }
    try {
      const { lines } = await this.#relay.call('review.blame', { ...side, lines: { start: line, count: 1 } });
      const [found] = lines;
      return (
        found &&
        new vscode.Hover(originMarkdown({ sessionId: side.sessionId, blamed: found }), document.lineAt(line).range)
      );
    } catch (thrown) {
      this.#log.warn('review', `Cannot say where a line comes from: ${String(thrown)}`);
      return undefined;
    }
  }

  dispose(): void {
    this.#disposables.dispose();
  }
}

/** What the relay says of a line of a session. */
export interface Found {
  sessionId: string;
  blamed: Blamed;
}

/** @param notes plain text for the end; of a commit or a session, so it may be anybody's */
export function originMarkdown(found: Found | undefined, notes: readonly string[] = []): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
  if (found) {
    appendOrigin(markdown, found);
  }
  for (const note of notes) {
    markdown.appendMarkdown('\n\n').appendText(note);
  }
  return markdown;
}

function appendOrigin(markdown: vscode.MarkdownString, { sessionId, blamed: found }: Found): void {
  markdown.isTrusted = { enabledCommands: ['sandpiper.showInChat'] };
  for (const { kind, text } of originText(found, Date.now())) {
    if (kind === 'heading') {
      markdown.appendMarkdown('**').appendText(text).appendMarkdown('**\n\n');
    } else if (kind === 'ours') {
      markdown.appendText(text).appendMarkdown('\n\n');
    } else {
      // A person's or an agent's text: shown as it is, with no link or image of its own.
      markdown.appendCodeblock(text, 'text');
    }
  }
  if (found.origin.kind === 'turn' && found.origin.itemId !== undefined) {
    const place = encodeURIComponent(JSON.stringify([{ sessionId, itemId: found.origin.itemId }]));
    markdown.appendMarkdown(`[${t('Show in Chat')}](command:sandpiper.showInChat?${place})`);
  }
}
