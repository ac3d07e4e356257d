import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleGit, type StatusResult } from 'simple-git';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { RepositoryRef } from '../../../protocol/events.ts';
import { makeScratchFolder } from '../core/scratchFolder.ts';
import { findRemoteCommit } from './remote.ts';
import { withShadow, type ShadowRepository } from './shadowRepository.ts';
import { canonicalUrl, parseSource, repositoryId, repositoryName, stripCredentials, type Source } from './source.ts';
import {
  branchOfBase,
  openUserRepository,
  remoteUrlOf,
  resolveInUserRepository,
  type UserRepository,
} from './userRepository.ts';

export interface InspectedRepository {
  repository: RepositoryRef;
  /** The commit that a session would start from. */
  head: string;
  detached: boolean;
  /** Changed or untracked files, without ignored ones; 0 for a URL. */
  uncommitted: number;
  /** What the user should know before starting, a sentence each. */
  notes: string[];
  /** Of a local repository. */
  gitDir?: string;
}

export interface InspectOptions {
  /** Start from this branch, tag or commit instead of what is checked out. */
  base?: string;
  /** A header that authenticates to the URL, as `Name: value`. */
  header?: string;
  /** Where the user's git configuration is; default: the home of the relay's user. */
  home?: string;
  /** Leave the work tree alone, which takes long when it is large: `uncommitted` is 0 then, and its notes are missing. */
  withoutWorkTree?: boolean;
}

/** Files over this are worth a warning: forges refuse them. */
const HUGE_FILE_BYTES = 50_000_000;
/** Reading a work tree has a limit of a minute. */
const STALE_MS = 10 * 60_000;
/** How many changed files are looked at for their size. */
const MAX_SIZED_FILES = 2000;

/**
 * What a session on this path or URL would start from. Reads only.
 * @param source any folder inside a work tree, a bare repository, or an https, ssh or (loopback) http URL
 * @throws `not_a_repository`, `empty_repository`, `repository_unreachable`, `forge_unauthorized`, `invalid_params` for an unknown base
 */
export async function inspectRepository(source: string, options: InspectOptions = {}): Promise<InspectedRepository> {
  const parsed = parseSource(source);
  return parsed.kind === 'url' ? inspectUrl(parsed, options) : inspectPath(parsed.path, options);
}

async function inspectUrl(
  { url, protocol }: Extract<Source, { kind: 'url' }>,
  options: InspectOptions,
): Promise<InspectedRepository> {
  const found = await findRemoteCommit({ url, protocol, header: options.header }, options.base);
  return {
    repository: {
      id: repositoryId(canonicalUrl(url)),
      name: repositoryName(url),
      source: url,
      remoteUrl: url,
      ...(found.branch === undefined ? {} : { branch: found.branch }),
    },
    head: found.commit,
    detached: found.branch === undefined,
    uncommitted: 0,
    notes: [],
  };
}

async function inspectPath(path: string, options: InspectOptions): Promise<InspectedRepository> {
  const repository = await openUserRepository(path, options.home);
  const source = repository.workTree ?? repository.gitDir;
  const head =
    options.base === undefined ? repository.head : await resolveInUserRepository(repository.gitDir, options.base);
  if (head === undefined) {
    throw repository.head === undefined ? emptyRepository(source) : unknownBase(source, options.base ?? 'HEAD');
  }
  const { uncommitted, notes } = options.withoutWorkTree
    ? { uncommitted: 0, notes: [] }
    : await inspectWorkTree(repository, options.home);
  const branch = options.base === undefined ? repository.branch : await branchOfBase(repository, options.base);
  const remoteUrl = remoteUrlOf(repository.settings, branch);
  return {
    repository: {
      id: repositoryId(repository.commonDir),
      name: repositoryName(repository.workTree ?? repository.commonDir),
      source,
      ...(remoteUrl === undefined ? {} : { remoteUrl: stripCredentials(remoteUrl) }),
      ...(branch === undefined ? {} : { branch }),
    },
    head,
    detached: repository.branch === undefined,
    uncommitted,
    notes: [...(await repositoryNotes(repository)), ...notes],
    gitDir: repository.gitDir,
  };
}

async function inspectWorkTree(
  repository: UserRepository,
  home: string | undefined,
): Promise<{ uncommitted: number; notes: string[] }> {
  const { workTree, head } = repository;
  if (workTree === undefined || head === undefined) {
    return { uncommitted: 0, notes: [] };
  }
  const folder = await makeScratchFolder('inspect', STALE_MS);
  try {
    const shadow = { folder, head, ...(home === undefined ? {} : { home }) };
    return await withShadow({ ...repository, workTree }, shadow, async made => {
      const status = await readStatus(made);
      return { uncommitted: status.files.length, notes: await workTreeNotes(workTree, status) };
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * simple-git serves here, for the one piece of porcelain whose output is worth somebody else's parser. It passes only the
 * variables named, which is what the shadow needs; everything else is plumbing and streams, on our own spawn.
 */
function readStatus(shadow: ShadowRepository): Promise<StatusResult> {
  return simpleGit({
    baseDir: shadow.workTree,
    allowEnvironment: Object.keys(shadow.readEnv),
    // The configuration that these name is the one we made.
    unsafe: { allowUnsafeConfigPaths: true, allowUnsafeConfigEnvCount: true },
    timeout: { block: 60_000 },
  })
    .env(shadow.readEnv)
    .status(['--ignore-submodules=all', '--untracked-files=all']);
}

async function workTreeNotes(workTree: string, status: StatusResult): Promise<string[]> {
  const notes: string[] = [];
  if (status.conflicted.length > 0) {
    notes.push(`${status.conflicted.length} files have merge conflicts; a snapshot takes them as they are now.`);
  }
  const nested = status.files.filter(file => file.path.endsWith('/'));
  if (nested.length > 0) {
    notes.push(`Repositories inside this one are left out of a snapshot: ${list(nested.map(file => file.path))}.`);
  }
  const sized = await Promise.all(
    status.files.slice(0, MAX_SIZED_FILES).map(async file => ({
      path: file.path,
      bytes: (await stat(join(workTree, file.path)).catch(() => undefined))?.size ?? 0,
    })),
  );
  const huge = sized.filter(file => file.bytes > HUGE_FILE_BYTES);
  if (huge.length > 0) {
    const named = huge.map(file => `${file.path} (${Math.round(file.bytes / 1e6)} MB)`);
    notes.push(`Uncommitted files are very large: ${list(named)}.`);
  }
  return notes;
}

async function repositoryNotes({ settings, shallow, gitDir, workTree }: UserRepository): Promise<string[]> {
  const notes: string[] = [];
  if (shallow) {
    notes.push('This is a shallow clone: older history is missing, and a forge may refuse a push from it.');
  }
  if (settings.has('extensions.partialclone') || [...settings.keys()].some(key => /^remote\..+\.promisor$/.test(key))) {
    notes.push('This is a partial clone: if objects are missing, run git fetch --refetch first.');
  }
  if (settings.get('core.sparsecheckout') === 'true') {
    notes.push('This is a sparse checkout: the sandbox gets all files.');
  }
  if (workTree !== undefined) {
    const [modules, attributes] = await Promise.all(
      ['.gitmodules', '.gitattributes'].map(name => readFile(join(workTree, name), 'utf8').catch(() => '')),
    );
    if (modules) {
      notes.push('Submodules are not filled in the sandbox: their folders are empty there.');
    }
    if (attributes && /\bfilter=/.test(attributes)) {
      notes.push(
        'Files that go through a git filter (such as Git LFS) appear in the sandbox as they are stored in git.',
      );
    }
  }
  const busy = await Promise.all(
    ['rebase-merge', 'rebase-apply', 'MERGE_HEAD', 'CHERRY_PICK_HEAD'].map(name =>
      stat(join(gitDir, name)).catch(() => undefined),
    ),
  );
  if (busy.some(found => found !== undefined)) {
    notes.push('A merge or rebase is under way in this repository.');
  }
  return notes;
}

function emptyRepository(source: string): SandpiperError {
  return new SandpiperError('empty_repository', `${source} has no commit yet.`, { hint: 'Make a first commit.' });
}

function unknownBase(source: string, base: string): SandpiperError {
  return new SandpiperError('invalid_params', `${source} has no commit, branch or tag "${base.slice(0, 200)}".`, {
    hint: 'Choose another base.',
  });
}

function list(names: string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
