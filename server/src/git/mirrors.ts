import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { Logger } from '../core/log.ts';
import { git, gitText, quoteAlternate } from './git.ts';
import type { InspectedRepository } from './inspect.ts';
import type { Mirror } from './mirror.ts';
import { baseRef, isCommitId, readRef, updateRef } from './refs.ts';
import { callRemote, findRemoteCommit, type Remote } from './remote.ts';
import { remoteProtocol } from './source.ts';
import { resolveInUserRepository } from './userRepository.ts';

/** More packs than this slow every look-up down, so they are rolled into fewer. */
const MANY_PACKS = 50;
const LEFTOVER_MS = 3_600_000;
/** Packing a large mirror anew takes minutes. */
const PRUNE_INTERVAL_MS = 7 * 24 * 3_600_000;
const PRUNED = 'sandpiper-pruned';
/** What is made in a mirror for a moment. */
const TEMPORARY = /^(quarantine|shadow|export|merge)-/;
const TRANSFER_TIMEOUT_MS = 30 * 60_000;

/**
 * The relay's mirrors, one folder a repository. Objects of a local repository are copied by one `pack-objects` that runs
 * in the mirror and borrows the user's object store for reading. Nothing is hard-linked: a link would change the inodes
 * of the user's files, git freshens their times, and packs hold branches and stashes that no sandbox should see.
 */
export class Mirrors {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #busy = new Map<string, Promise<unknown>>();
  readonly #tidied = new Set<string>();

  constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
  }

  /**
   * Makes or refreshes the mirror so that it has a commit and all that the commit needs. One at a time per repository.
   * @param rev commit, branch or tag; default: the inspected head
   * @param header authenticates to a URL, as `Name: value`
   * @throws `invalid_params` for an unknown rev, `repository_unreachable`, `forge_unauthorized`, `git_failed`
   */
  async ensure(
    repository: InspectedRepository,
    rev: string | undefined,
    header?: string,
  ): Promise<{ mirror: Mirror; commit: string }> {
    const { id } = repository.repository;
    return this.#alone(id, async () => {
      const mirror = this.open(id) ?? (await this.#make(id));
      await this.#tidy(id, mirror);
      // The last use, for retention.
      const now = new Date();
      await utimes(join(mirror.path, 'HEAD'), now, now);
      const remote = repository.gitDir === undefined ? remoteOf(repository, header) : undefined;
      const commit = await resolveRev(repository, remote, rev);
      if ((await readRef(mirror, baseRef(commit))) === undefined) {
        const started = performance.now();
        if (remote) {
          await fetchRemote(mirror, remote, commit);
        } else {
          await copyLocal(mirror, repository, commit);
        }
        this.#log.log('info', 'git', 'copied a commit into the mirror', {
          repository: id,
          commit,
          ms: Math.round(performance.now() - started),
        });
      }
      return { mirror, commit };
    });
  }

  /** Ids of every repository that there is a mirror of. */
  async list(): Promise<string[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names.flatMap(name => /^([a-z0-9_]+)\.git$/.exec(name)?.[1] ?? []).sort();
  }

  /** Every mirror with the time since a session was begun on it. */
  async usage(now: number): Promise<{ repositoryId: string; bytes: number; unusedMs: number }[]> {
    const found = (await this.list()).map(async repositoryId => {
      const { path, objects } = this.#mirror(repositoryId);
      const head = await stat(join(path, 'HEAD')).catch(() => undefined);
      const packs = await readdir(join(objects, 'pack')).catch(() => []);
      const sizes = await Promise.all(
        packs.map(async name => (await stat(join(objects, 'pack', name)).catch(() => undefined))?.size ?? 0),
      );
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      return head ? [{ repositoryId, bytes, unusedMs: now - head.mtimeMs }] : [];
    });
    return (await Promise.all(found)).flat();
  }

  /** Removes a mirror unless it was used in this time. @returns whether it is gone */
  remove(repositoryId: string, idleMs: number): Promise<boolean> {
    return this.#alone(repositoryId, async () => {
      const { path } = this.#mirror(repositoryId);
      if (!(await isOlderThan(join(path, 'HEAD'), idleMs))) {
        return false;
      }
      const aside = join(this.#folder, `new-removed-${repositoryId}-${Date.now()}`);
      await rename(path, aside);
      await rm(aside, { recursive: true, force: true });
      return true;
    });
  }

  /**
   * Removes objects that no ref needs and that are old, once a week. Never while a clone may borrow them: an agent that adds
   * a file whose object is there already makes none of its own.
   */
  prune(repositoryId: string): Promise<void> {
    return this.#alone(repositoryId, async () => {
      const mirror = this.#mirror(repositoryId);
      const marker = join(mirror.path, PRUNED);
      if ((await stat(marker).catch(() => undefined)) && !(await isOlderThan(marker, PRUNE_INTERVAL_MS))) {
        return;
      }
      const options = { gitDir: mirror.path, timeoutMs: TRANSFER_TIMEOUT_MS };
      await git(['repack', '-A', '-d', '-q', '--unpack-unreachable=2.weeks.ago'], options);
      await git(['prune', '--expire=2.weeks.ago'], options);
      await writeFile(marker, '');
    });
  }

  /** Folders that a killed relay left behind. @returns their names, removed unless `dryRun` */
  async sweep(dryRun: boolean): Promise<string[]> {
    const inMirrors = (await this.list()).map(async id => {
      const names = await readdir(this.#mirror(id).path).catch(() => []);
      return names.filter(name => TEMPORARY.test(name)).map(name => join(`${id}.git`, name));
    });
    const aside = (await readdir(this.#folder).catch(() => [])).filter(name => name.startsWith('new-'));
    const stale = [];
    for (const name of [...aside, ...(await Promise.all(inMirrors)).flat()]) {
      const path = join(this.#folder, name);
      if (await isOlderThan(path, LEFTOVER_MS)) {
        stale.push(name);
        if (!dryRun) {
          await rm(path, { recursive: true, force: true });
        }
      }
    }
    return stale;
  }

  open(repositoryId: string): Mirror | undefined {
    const mirror = this.#mirror(repositoryId);
    return existsSync(join(mirror.path, 'HEAD')) ? mirror : undefined;
  }

  #mirror(repositoryId: string): Mirror {
    if (!/^[a-z0-9_]+$/.test(repositoryId)) {
      throw new SandpiperError('invalid_params', 'A repository id has only small letters, digits and underscores.');
    }
    const path = join(this.#folder, `${repositoryId}.git`);
    return { path, objects: join(path, 'objects') };
  }

  /** Made aside and renamed, so that a mirror is whole or not there. */
  async #make(repositoryId: string): Promise<Mirror> {
    await mkdir(this.#folder, { recursive: true });
    const aside = await mkdtemp(join(this.#folder, 'new-'));
    try {
      await initMirror(aside);
      const mirror = this.#mirror(repositoryId);
      await rename(aside, mirror.path);
      return mirror;
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  }

  /** Once per process: what a killed relay left behind goes, and many small packs become few. */
  async #tidy(id: string, mirror: Mirror): Promise<void> {
    if (this.#tidied.has(id)) {
      return;
    }
    this.#tidied.add(id);
    for (const name of await readdir(mirror.path)) {
      const path = join(mirror.path, name);
      if (TEMPORARY.test(name) && (await isOlderThan(path, LEFTOVER_MS))) {
        await rm(path, { recursive: true, force: true });
      }
    }
    const packs = (await readdir(join(mirror.objects, 'pack')).catch(() => [])).filter(name => name.endsWith('.pack'));
    if (packs.length > MANY_PACKS) {
      await git(['repack', '--geometric=2', '-d', '-q'], { gitDir: mirror.path, timeoutMs: TRANSFER_TIMEOUT_MS });
      this.#log.log('info', 'git', 'rolled packs together', { repository: id, packs: packs.length });
    }
  }

  async #alone<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(id) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#busy.set(id, mine);
    try {
      return await mine;
    } finally {
      if (this.#busy.get(id) === mine) {
        this.#busy.delete(id);
      }
    }
  }
}

/** Makes an empty mirror of an empty folder. */
export async function initMirror(folder: string): Promise<void> {
  await git(['init', '--bare', '--quiet', '--template=', folder], {});
  // A checkpoint that was acknowledged must survive a power cut (I8), its ref too.
  await git(['config', 'core.fsync', 'default,reference'], { gitDir: folder });
}

async function resolveRev(
  repository: InspectedRepository,
  remote: Remote | undefined,
  rev: string | undefined,
): Promise<string> {
  if (rev === undefined || isCommitId(rev)) {
    return rev ?? repository.head;
  }
  if (remote) {
    return (await findRemoteCommit(remote, rev)).commit;
  }
  const commit = await resolveInUserRepository(repository.gitDir ?? '', rev);
  if (commit === undefined) {
    throw unknownRev(repository, rev);
  }
  return commit;
}

/**
 * Copies what the commit needs and the mirror lacks, as one pack. The walk starts at the commit and stops at what earlier
 * sessions started from, so other branches and stashes stay where they are.
 */
async function copyLocal(mirror: Mirror, repository: InspectedRepository, commit: string): Promise<void> {
  const gitDir = repository.gitDir ?? '';
  if ((await resolveInUserRepository(gitDir, commit)) !== commit) {
    throw unknownRev(repository, commit);
  }
  const common = join(gitDir, (await readFile(join(gitDir, 'commondir'), 'utf8').catch(() => '.')).trimEnd());
  const known = await gitText(['for-each-ref', '--format=^%(objectname)', 'refs/bases'], { gitDir: mirror.path });
  const boundary = await shallowCommits(join(common, 'shallow'));
  await mkdir(join(mirror.objects, 'pack'), { recursive: true });
  await git(
    // Deltas that exist are taken over; looking for new ones would cost most of the time and save little space.
    ['pack-objects', '--revs', '--quiet', '--window=0', '--delta-base-offset', join(mirror.objects, 'pack/pack')],
    {
      gitDir: mirror.path,
      env: { GIT_ALTERNATE_OBJECT_DIRECTORIES: quoteAlternate(join(common, 'objects')) },
      stdin: Buffer.from([...boundary.map(id => `--shallow ${id}`), commit, known, ''].join('\n')),
      timeoutMs: TRANSFER_TIMEOUT_MS,
    },
  ).catch((thrown: unknown) => {
    throw copyFailed(repository, thrown);
  });
  if (boundary.length > 0) {
    await addShallowCommits(mirror, boundary);
  }
  await updateRef(mirror, baseRef(commit), commit);
}

/** The commits whose parents a shallow clone lacks. */
async function shallowCommits(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').filter(isCommitId);
}

async function addShallowCommits(mirror: Mirror, boundary: string[]): Promise<void> {
  const file = join(mirror.path, 'shallow');
  const all = new Set([...(await shallowCommits(file)), ...boundary]);
  const aside = `${file}.new`;
  await writeFile(aside, [...all].map(id => `${id}\n`).join(''));
  await rename(aside, file);
}

async function fetchRemote(mirror: Mirror, remote: Remote, commit: string): Promise<void> {
  const refspec = `${commit}:${baseRef(commit)}`;
  await callRemote(
    remote,
    ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-gc', '--', remote.url, refspec],
    TRANSFER_TIMEOUT_MS,
    mirror.path,
  );
}

function remoteOf({ repository }: InspectedRepository, header: string | undefined): Remote {
  const protocol = remoteProtocol(repository.source);
  if (protocol === undefined) {
    throw new SandpiperError('invalid_params', `${repository.source} is not a URL that Sandpiper fetches from.`);
  }
  return { url: repository.source, protocol, header };
}

async function isOlderThan(path: string, ageMs: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > ageMs;
}

function unknownRev({ repository }: InspectedRepository, rev: string): SandpiperError {
  return new SandpiperError('invalid_params', `${repository.source} has no commit "${rev.slice(0, 200)}".`, {
    hint: 'Choose another base.',
  });
}

function copyFailed({ repository }: InspectedRepository, thrown: unknown): unknown {
  if (!(thrown instanceof SandpiperError) || thrown.code !== 'git_failed') {
    return thrown;
  }
  return new SandpiperError(
    'git_failed',
    `The history of ${repository.source} could not be copied. ${thrown.message}`,
    {
      hint: 'If this is a partial clone run git fetch --refetch in it; otherwise check it with git fsck.',
      cause: thrown,
    },
  );
}
