import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError } from '../protocol/errors.ts';
import { ABSENT, readState, type FileState } from './fileState.ts';
import { isSafePath } from './paths.ts';
import { records, runGit } from './runGit.ts';
import type { UserFolder } from './userFolder.ts';
import { t } from '../protocol/text.ts';

/** One change of the session, with both sides as they look in this folder (line ends, encodings). */
export interface Change {
  path: string;
  /** Before a rename. */
  oldPath?: string;
  base: FileState;
  theirs: FileState;
  /** Where the contents lie on disk; only there when that side is a file or a link. */
  baseFile: string;
  theirFile: string;
}

const BASE = 'refs/sandpiper/base';
const LANDING = 'refs/sandpiper/landing';
const SUBMODULE = '160000';
const EXECUTABLE = '100755';

/**
 * Opens a bundle of the relay in a throw-away repository that borrows the objects of the user's, and lays both sides of
 * every change out as files. The user's repository is read as a store of objects and not opened; its filters are not run.
 */
export async function unpackBundle(user: UserFolder, bundle: string, scratch: string): Promise<Change[]> {
  const gitDir = join(scratch, 'git');
  const { environment } = user;
  const run = { environment, cwd: scratch };
  await runGit(['init', '--quiet', '--bare', '--template=', gitDir], run);
  await mkdir(join(gitDir, 'objects/info'), { recursive: true });
  await mkdir(join(gitDir, 'info'), { recursive: true });
  await writeFile(join(gitDir, 'objects/info/alternates'), `${quoteAlternate(user.objects)}\n`);
  await copyFile(join(user.commonDir, 'info/attributes'), join(gitDir, 'info/attributes')).catch(() => {});
  const at = [`--git-dir=${gitDir}`];
  await runGit(
    [...at, 'fetch', '--quiet', '--no-tags', '--no-auto-gc', bundle, '+refs/sandpiper/*:refs/sandpiper/*'],
    run,
  );
  const raw = await runGit(
    [...at, 'diff-tree', '-r', '-z', '--raw', '--no-abbrev', '-M', '-l1000', BASE, LANDING, '--'],
    run,
  );
  const changes = parseRaw(records(raw));
  const sides: Record<'base' | 'theirs', string> = { base: join(scratch, 'base'), theirs: join(scratch, 'theirs') };
  const wanted = {
    base: changes.filter(({ oldMode }) => isContent(oldMode)).map(({ path, oldPath }) => oldPath ?? path),
    theirs: changes.filter(({ mode }) => isContent(mode)).map(({ path }) => path),
  };
  await layOut(user, gitDir, { commit: BASE, folder: sides.base, paths: wanted.base });
  await layOut(user, gitDir, { commit: LANDING, folder: sides.theirs, paths: wanted.theirs });
  return Promise.all(
    changes.map(async ({ oldMode, mode, ...change }) => {
      const baseFile = join(sides.base, change.oldPath ?? change.path);
      const theirFile = join(sides.theirs, change.path);
      const [base, theirs] = await Promise.all([stateAt(baseFile, oldMode), stateAt(theirFile, mode)]);
      return { ...change, base, theirs, baseFile, theirFile };
    }),
  );
}

interface RawChange {
  oldMode: string;
  mode: string;
  path: string;
  oldPath?: string;
}

function parseRaw(fields: readonly string[]): RawChange[] {
  const changes: RawChange[] = [];
  for (let at = 0; at < fields.length;) {
    const [oldMode = '', mode = '', , , status = ''] = (fields[at] ?? '').slice(1).split(' ');
    const first = fields[at + 1] ?? '';
    if (status.startsWith('R')) {
      changes.push({ oldMode, mode, oldPath: first, path: fields[at + 2] ?? '' });
      at += 3;
    } else {
      changes.push({ oldMode, mode, path: first });
      at += 2;
    }
  }
  return changes;
}

/** git itself makes the files, from an index, so that its conversions are exact; it refuses names that lead elsewhere. */
async function layOut(
  { settings, environment }: UserFolder,
  gitDir: string,
  side: { commit: string; folder: string; paths: readonly string[] },
): Promise<void> {
  await mkdir(side.folder, { recursive: true });
  // What cannot be a name here is told to the person later, and must not fail the rest.
  const paths = side.paths.filter(path => isSafePath(path, process.platform));
  if (paths.length === 0) {
    return;
  }
  const options = [...settings].flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const run = { environment, cwd: side.folder };
  const at = [`--git-dir=${gitDir}`, `--work-tree=${side.folder}`];
  await runGit([...options, ...at, 'read-tree', side.commit], run);
  const stdin = Buffer.from(paths.map(path => `${path}\0`).join(''));
  await runGit([...options, ...at, 'checkout-index', '--quiet', '--force', '-z', '--stdin'], { ...run, stdin });
}

async function stateAt(path: string, mode: string): Promise<FileState> {
  if (mode === SUBMODULE) {
    return { kind: 'other' };
  }
  if (!isContent(mode)) {
    return ABSENT;
  }
  const state = await readState(path);
  if (state.kind === 'absent') {
    // Not laid out: a name that cannot be here.
    return { kind: 'other' };
  }
  return state.kind === 'file' ? { ...state, executable: mode === EXECUTABLE } : state;
}

function isContent(mode: string): boolean {
  return mode !== SUBMODULE && !/^0+$/.test(mode);
}

/** One folder for objects/info/alternates. @throws for a name that git cannot be told */
function quoteAlternate(folder: string): string {
  if (folder.includes('\n')) {
    throw new SandpiperError(
      'not_a_repository',
      t('A repository in a folder with a line break in its name cannot be used.'),
    );
  }
  return folder.startsWith('"') || folder.startsWith('#')
    ? `"${folder.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
    : folder;
}
