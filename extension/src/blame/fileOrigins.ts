import { basename } from 'node:path';
import * as vscode from 'vscode';
import { landedLine } from '../../../landing/landedLine.ts';
import { openUserFolder } from '../../../landing/userFolder.ts';
import { linesOf } from '../../../protocol/anchor.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { AppliedFiles } from '../landing/appliedFiles.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { fileText } from '../review/fileText.ts';
import { originMarkdown, type Found } from './lineOrigins.ts';
import { sameLine } from './sameLine.ts';
import { t } from '../../../protocol/text.ts';

const SIDES = ['proposed', 'accepted'] as const;

/** A line of the user's own file, as the editor shows it. */
interface Asked {
  document: vscode.TextDocument;
  line: number;
}

/** Says of lines of the user's own files which session wrote them: by what was applied here, and by the commits that landed. */
export class FileOrigins {
  readonly #relay: RelayLink;
  readonly #applied: AppliedFiles;

  constructor(relay: RelayLink, applied: AppliedFiles) {
    this.#relay = relay;
    this.#applied = applied;
  }

  /** What was applied and is not committed; costs nothing in any other file. */
  async applied({ document, line }: Asked): Promise<vscode.MarkdownString | undefined> {
    for (const { sessionId, path } of this.#applied.sessionsIn(document.uri)) {
      const found = await this.#findIfKept(sessionId, path, linesOf(document.getText()), line);
      // What the session did not write is somebody else's.
      if (found && found.blamed.origin.kind !== 'base') {
        return originMarkdown(found, [t('Applied here from "{0}".', await this.#title(sessionId))]);
      }
    }
    return undefined;
  }

  /** @throws `not_found` when no session is known to have written it */
  async find(asked: Asked): Promise<vscode.MarkdownString> {
    const said = (await this.applied(asked)) ?? (await this.#landed(asked));
    if (!said) {
      throw new SandpiperError('not_found', t('No session is known to have written this line.'), {
        hint: t('Known are changes that were applied to this folder, and commits that name their session.'),
      });
    }
    return said;
  }

  async #landed({ document, line }: Asked): Promise<vscode.MarkdownString | undefined> {
    if (!vscode.workspace.isTrusted) {
      throw new SandpiperError('forbidden', t('This folder is open in Restricted Mode, so git does not run in it.'));
    }
    const folder = await openUserFolder(vscode.Uri.joinPath(document.uri, '..').fsPath, process.env);
    const from = { ...folder, root: vscode.Uri.joinPath(document.uri, '..').fsPath };
    const landed = await landedLine(from, basename(document.uri.fsPath), line, Buffer.from(document.getText()));
    if (!landed) {
      return undefined;
    }
    const { sessionId, commit, subject, path } = landed;
    const commitText = t('Landed with commit {0}: {1}', commit.slice(0, 10), subject);
    const found = await this.#findIfKept(sessionId, path, landed.lines, landed.line);
    return found
      ? originMarkdown(found, [commitText])
      : originMarkdown(undefined, [commitText, t('By session {0}, which says no more of it.', sessionId)]);
  }

  /** Undefined also when the session is deleted, or of another relay. */
  async #findIfKept(
    sessionId: string,
    path: string,
    lines: readonly string[],
    line: number,
  ): Promise<Found | undefined> {
    try {
      return await this.#find(sessionId, path, lines, line);
    } catch (thrown) {
      if (toSandpiperError(thrown).code === 'not_found') {
        return undefined;
      }
      throw thrown;
    }
  }

  /** The line in the session's own files, and what the relay says of it there. */
  async #find(sessionId: string, path: string, lines: readonly string[], line: number): Promise<Found | undefined> {
    for (const side of SIDES) {
      const file = await this.#relay.call('changes.file', { sessionId, side, path });
      const at = file.exists && !file.tooLarge ? sameLine(lines, textLines(fileText(file)), line) : undefined;
      if (at !== undefined) {
        const range = { start: at, count: 1 };
        const { lines: blamed } = await this.#relay.call('review.blame', { sessionId, side, path, lines: range });
        return blamed[0] && { sessionId, blamed: blamed[0] };
      }
    }
    return undefined;
  }

  async #title(sessionId: string): Promise<string> {
    return (await this.#relay.call('session.get', { sessionId })).title;
  }
}

function textLines(content: Uint8Array): string[] {
  return linesOf(new TextDecoder().decode(content));
}
