import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SandpiperError } from '../protocol/errors.ts';
import { complaint, tryGit, type Environment } from './runGit.ts';
import { t } from '../protocol/text.ts';

/** The repository that a user has checked out. Its `.git` is only read (I7), but for what they ask to be put there. */
export interface UserFolder {
  /** Top of the work tree. */
  root: string;
  gitDir: string;
  commonDir: string;
  objects: string;
  /** What decides how blobs become files. */
  settings: ReadonlyMap<string, string>;
  environment: Environment;
}

/** Settings that say how files look. No other is handed on: some name programs. */
const SETTINGS = [
  'core.autocrlf',
  'core.eol',
  'core.filemode',
  'core.symlinks',
  'core.ignorecase',
  'core.precomposeunicode',
];

/** Finds the repository that a folder belongs to. @throws `not_a_repository` */
export async function openUserFolder(path: string, environment: Environment): Promise<UserFolder> {
  const run = { cwd: path, environment };
  const where = await tryGit(['rev-parse', '--show-toplevel', '--absolute-git-dir', '--git-common-dir'], run);
  if (where.code !== 0) {
    throw new SandpiperError('not_a_repository', t('{0} has no checked-out files of a git repository.', path), {
      hint: complaint(where.stderr),
    });
  }
  const [top = '', gitDir = '', common = ''] = where.stdout.toString('utf8').split('\n');
  const commonDir = await realpath(resolve(path, common));
  const listed = await tryGit(['config', '--list', '-z'], run);
  const settings = new Map<string, string>();
  for (const entry of listed.stdout.toString('utf8').split('\0')) {
    const [key = '', ...value] = entry.split('\n');
    if (SETTINGS.includes(key)) {
      settings.set(key, value.length === 0 ? 'true' : value.join('\n'));
    }
  }
  return {
    root: await realpath(top),
    gitDir,
    commonDir,
    objects: join(commonDir, 'objects'),
    settings,
    environment,
  };
}

/** What git found out about the file system when the repository was made. */
export function fileSystemOf(folder: Pick<UserFolder, 'settings'>): { hasModes: boolean; ignoreCase: boolean } {
  return {
    hasModes: process.platform !== 'win32' && isOn(folder, 'core.filemode', true),
    ignoreCase: isOn(folder, 'core.ignorecase', false),
  };
}

function isOn(folder: Pick<UserFolder, 'settings'>, key: string, fallback: boolean): boolean {
  const value = folder.settings.get(key)?.toLowerCase();
  return value === undefined ? fallback : !['false', 'no', 'off', '0', ''].includes(value);
}

/** Whether the folder's repository has a commit. */
export async function hasCommit({ root, environment }: UserFolder, commit: string): Promise<boolean> {
  const result = await tryGit(['cat-file', '-e', `${commit}^{commit}`], { cwd: root, environment });
  return result.code === 0;
}
