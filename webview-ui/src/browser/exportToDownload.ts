import { exportSession, type SessionReader } from '../../../client/link/exportSession.ts';
import { ask } from '../state/dialogs.ts';
import { t } from '../../../protocol/text.ts';

/** Asks for the format, and hands the document to the browser to be saved. */
export async function exportToDownload(reader: SessionReader, sessionId: string): Promise<void> {
  const format = await ask({
    title: t('Export this session?'),
    body: t('All of it goes into one document, which your browser saves.'),
    confirm: t('Export'),
    choice: {
      label: t('Format'),
      options: [
        ['markdown', t('Markdown, for people')],
        ['json', t('JSON, for programs')],
      ],
    },
  });
  if (format === undefined) {
    return;
  }
  const { name, mediaType, text } = await exportSession(reader, sessionId, format === 'json' ? 'json' : 'markdown');
  const url = URL.createObjectURL(new Blob([text], { type: mediaType }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun with the click and holds what it needs.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
