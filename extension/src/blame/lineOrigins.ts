import * as vscode from 'vscode';
import type { CallResult } from '../../../protocol/calls.ts';
import { sideOf } from '../comments/commentThreads.ts';
import { DisposableStore } from '../disposables.ts';
import type { Log } from '../log.ts';
import { SCHEME } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { originText } from './originText.ts';

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
      return found && new vscode.Hover(toMarkdown(side.sessionId, found), document.lineAt(line).range);
    } catch (thrown) {
      this.#log.warn('review', `Cannot say where a line comes from: ${String(thrown)}`);
      return undefined;
    }
  }

  dispose(): void {
    this.#disposables.dispose();
  }
}

function toMarkdown(sessionId: string, found: CallResult<'review.blame'>['lines'][number]): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
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
    markdown.appendMarkdown(`[Show in Chat](command:sandpiper.showInChat?${place})`);
  }
  return markdown;
}
