import * as vscode from 'vscode';
import { exportSession, type ExportFormat } from '../../../client/link/exportSession.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import { t } from '../../../protocol/text.ts';

const FORMATS: readonly (vscode.QuickPickItem & { format: ExportFormat })[] = [
  { label: 'Markdown', description: t('for people'), format: 'markdown' },
  { label: 'JSON', description: t('for programs, with everything'), format: 'json' },
];

/** Writes all of a session into a file that the person names, and opens it. */
export async function exportToFile(
  actions: Pick<SessionActions, 'readEvents' | 'readBlob'>,
  sessionId: string,
): Promise<void> {
  const chosen = await vscode.window.showQuickPick(FORMATS, { title: t('Export Session'), placeHolder: t('Format') });
  if (!chosen) {
    return;
  }
  const exported = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: t('Reading the session') },
    () =>
      exportSession(
        {
          readEvents: (id, after) => actions.readEvents(id, after),
          readBlob: (id, hash, offset) => actions.readBlob(id, hash, offset),
        },
        sessionId,
        chosen.format,
      ),
  );
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const file = await vscode.window.showSaveDialog({
    title: t('Export Session'),
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, exported.name) } : {}),
    filters: chosen.format === 'json' ? { JSON: ['json'] } : { Markdown: ['md'] },
  });
  if (file) {
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(exported.text));
    await vscode.window.showTextDocument(file, { preview: true });
  }
}
