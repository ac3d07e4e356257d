import type { JSX } from 'preact';
import { decisionsIn, type PendingFile } from '../../../protocol/pendingReview.ts';
import { t, told } from '../../../protocol/text.ts';

const LETTERS = { added: 'A', modified: 'M', deleted: 'D', renamed: 'R', typeChanged: 'T' } as const;

const statusText = (status: PendingFile['status']): string =>
  ({
    added: t('added'),
    modified: t('modified'),
    deleted: t('deleted'),
    renamed: t('renamed'),
    typeChanged: t('is of another kind'),
  })[status];

/** The files of a review, to go to one of them. */
export function FileNames({
  files,
  onChoose,
}: {
  files: readonly PendingFile[];
  onChoose: (path: string) => void;
}): JSX.Element {
  return (
    <nav aria-label={t('Files to review')}>
      <ul class="fileNames">
        {files.map(file => (
          <li key={file.path}>
            <button type="button" class="fileName" onClick={() => onChoose(file.path)}>
              <FileName file={file} />
              <Counts file={file} />
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** What happened to a file, and which. */
export function FileName({ file: { path, oldPath, status, sensitive } }: { file: PendingFile }): JSX.Element {
  return (
    <>
      <span class={`fileStatus ${status}`} aria-hidden="true">
        {LETTERS[status]}
      </span>
      <span class="filePath">
        {oldPath !== undefined && oldPath !== path ? `${oldPath} → ` : ''}
        {path}
        <span class="sr"> {statusText(status)}</span>
      </span>
      {sensitive === undefined ? null : (
        <span class="chip" title={told(sensitive)}>
          {t('sensitive')}
        </span>
      )}
    </>
  );
}

export function Counts({ file }: { file: PendingFile }): JSX.Element {
  const { insertions, deletions } = file;
  return (
    <span class="fileCounts">
      {file.binary ? null : (
        <>
          <span class="plus">
            <span class="sr">{t('{0} lines added', insertions)}</span>
            <span aria-hidden="true">+{insertions}</span>
          </span>
          <span class="minus">
            <span class="sr">{t('{0} lines removed', deletions)}</span>
            <span aria-hidden="true">−{deletions}</span>
          </span>
        </>
      )}
      <span class="dim">{t('{0} to decide', decisionsIn(file))}</span>
    </span>
  );
}
