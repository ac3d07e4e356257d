import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import { git, gitText } from './git.ts';
import { initMirror } from './mirrors.ts';
import type { Mirror } from './mirror.ts';
import { isCommitId, isRefName } from './refs.ts';

/*
 * A mirror as three things: its refs, where its history was cut off (a shallow source), and one pack with all that the
 * refs need. Unlike a copy of its files this is consistent while the mirror is being written.
 */

/** Large histories take their time. */
const PACK_TIMEOUT_MS = 60 * 60_000;

/** Every ref with the commit it points at. */
export async function listRefs(mirror: Mirror): Promise<Map<string, string>> {
  const text = await gitText(['for-each-ref', '--format=%(objectname) %(refname)'], { gitDir: mirror.path });
  return parseRefs(text);
}

/** As `formatRefs` wrote them; lines that are no ref are left out. */
export function parseRefs(text: string): Map<string, string> {
  const refs = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [commit = '', ref = ''] = line.split(' ');
    if (isCommitId(commit) && isRefName(ref)) {
      refs.set(ref, commit);
    }
  }
  return refs;
}

export function formatRefs(refs: ReadonlyMap<string, string>): string {
  return [...refs].map(([ref, commit]) => `${commit} ${ref}\n`).join('');
}

/** Those of some commits that the mirror does not have. */
export async function missingCommits(mirror: Mirror, commits: Iterable<string>): Promise<Set<string>> {
  const asked = [...new Set(commits)];
  const answer = await gitText(['cat-file', '--batch-check=%(objectname) %(objecttype)'], {
    gitDir: mirror.path,
    stdin: Buffer.from(asked.map(commit => `${commit}\n`).join('')),
  });
  const present = new Set(answer.split('\n').flatMap(line => (line.endsWith(' commit') ? [line.slice(0, -7)] : [])));
  return new Set(asked.filter(commit => !present.has(commit)));
}

/** Where the history was cut off, as git keeps it; undefined for a whole one. */
export async function readShallow(mirror: Mirror): Promise<string | undefined> {
  return readFile(join(mirror.path, 'shallow'), 'utf8').catch(() => undefined);
}

/**
 * Writes one pack with all that these commits need.
 * @returns its path; undefined when there is no commit
 * @throws `git_failed` when the mirror lacks something
 */
export async function packCommits(
  mirror: Mirror,
  commits: Iterable<string>,
  folder: string,
): Promise<string | undefined> {
  const wanted = [...new Set(commits)];
  if (wanted.length === 0) {
    return undefined;
  }
  // Deltas that exist are taken over; looking for new ones would cost most of the time.
  const name = await gitText(
    ['pack-objects', '--revs', '--quiet', '--window=0', '--delta-base-offset', join(folder, 'pack')],
    {
      gitDir: mirror.path,
      stdin: Buffer.from(wanted.map(commit => `${commit}\n`).join('')),
      timeoutMs: PACK_TIMEOUT_MS,
    },
  );
  return join(folder, `pack-${name}.pack`);
}

/** The first of these commits' problems with its history, in git's words; undefined when all that they need is there. */
export async function connectionProblem(mirror: Mirror, commits: Iterable<string>): Promise<string | undefined> {
  const wanted = [...new Set(commits)];
  try {
    await git(['rev-list', '--objects', '--stdin', '--quiet'], {
      gitDir: mirror.path,
      stdin: Buffer.from(wanted.map(commit => `${commit}\n`).join('')),
      timeoutMs: PACK_TIMEOUT_MS,
    });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Makes a mirror from its parts; it is there whole or not at all.
 * @param target the folder that the mirror becomes; it must not exist
 * @throws `git_failed` when the pack is damaged or does not hold what the refs need
 */
export async function rebuildMirror(
  target: string,
  parts: { refs: ReadonlyMap<string, string>; shallow: string | undefined; packFile: string | undefined },
): Promise<void> {
  const aside = `${target}.new`;
  await rm(aside, { recursive: true, force: true });
  try {
    await mkdir(aside, { recursive: true });
    await initMirror(aside);
    const mirror = { path: aside, objects: join(aside, 'objects') };
    if (parts.shallow !== undefined) {
      await writeFile(join(aside, 'shallow'), parts.shallow);
    }
    if (parts.packFile !== undefined) {
      const pack = join(mirror.objects, 'pack', 'pack-restored.pack');
      await mkdir(join(mirror.objects, 'pack'), { recursive: true });
      await rename(parts.packFile, pack);
      await git(['index-pack', '--strict', pack], { gitDir: aside, timeoutMs: PACK_TIMEOUT_MS });
    }
    const updates = [...parts.refs].map(([ref, commit]) => `create ${ref} ${commit}\n`).join('');
    await git(['update-ref', '--stdin'], { gitDir: aside, stdin: Buffer.from(updates) });
    const problem = await connectionProblem(mirror, parts.refs.values());
    if (problem !== undefined) {
      throw new SandpiperError('git_failed', `The mirror ${basename(target)} is not complete. ${problem}`);
    }
    await rename(aside, target);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}
