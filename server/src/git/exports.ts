import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SandpiperError } from '../../../protocol/errors.ts';
import { git, tryGit } from './git.ts';
import type { Mirror } from './mirror.ts';
import { isCommitId } from './refs.ts';

/*
 * Files that are made from a mirror for whoever wants a session's work elsewhere: bundles and patches. They lie in the
 * mirror for an hour after the last one asked for them, so that a download can go on where it was cut off.
 */

export interface Export {
  /** Names the file, by what it is made from. */
  id: string;
  bytes: number;
  /** Of the file, in hex. */
  sha256: string;
}

export interface BundleSpec {
  /** Full names of refs and their commits. */
  refs: Readonly<Record<string, string>>;
  /** Commits that the receiver has; those that the mirror does not know are ignored. */
  have: readonly string[];
}

const TIMEOUT_MS = 10 * 60_000;
const MAX_EXPORT_BYTES = 2 * 1024 ** 3;
const ID = /^[0-9a-f]{40}$/;

/** A bundle, as git reads it, of what the receiver lacks. @throws `too_large`, `git_failed` */
export function exportBundle(mirror: Mirror, { refs, have }: BundleSpec): Promise<Export> {
  const heads = Object.entries(refs);
  if (!heads.every(([, commit]) => isCommitId(commit)) || !have.every(isCommitId)) {
    throw new SandpiperError('invalid_params', 'A bundle is made of commit ids.');
  }
  return makeOnce(mirror, ['bundle', ...heads.flat(), ...have], async (folder, file) => {
    const known = await knownCommits(mirror, have);
    await git(['pack-objects', '--revs', '--quiet', '--window=0', '--delta-base-offset', join(folder, 'pack')], {
      gitDir: mirror.path,
      stdin: Buffer.from([...heads.map(([, commit]) => commit), ...known.map(id => `^${id}`), ''].join('\n')),
      timeoutMs: TIMEOUT_MS,
    });
    const pack = (await readdir(folder)).find(name => name.endsWith('.pack'));
    if (pack === undefined) {
      throw new SandpiperError('git_failed', 'git made no pack.');
    }
    const header = ['# v2 git bundle', ...known.map(id => `-${id} `), ...heads.map(([ref, id]) => `${id} ${ref}`)];
    await writeFile(file, `${header.join('\n')}\n\n`);
    await pipeline(createReadStream(join(folder, pack)), createWriteStream(file, { flags: 'a' }));
  });
}

/** What `git apply` needs to make one commit's files of another's, binary ones included. @throws `too_large`, `git_failed` */
export function exportPatch(mirror: Mirror, from: string, to: string): Promise<Export> {
  if (!isCommitId(from) || !isCommitId(to)) {
    throw new SandpiperError('invalid_params', 'A patch is made of commit ids.');
  }
  return makeOnce(mirror, ['patch', from, to], async (_folder, file) => {
    const options = ['-r', '-p', '--binary', '--full-index', '-M', '-l1000'];
    const harmless = ['--no-ext-diff', '--no-textconv', '--no-color', '--src-prefix=a/', '--dst-prefix=b/'];
    await git(['diff-tree', ...options, ...harmless, `--output=${file}`, from, to, '--'], {
      gitDir: mirror.path,
      timeoutMs: TIMEOUT_MS,
    });
  });
}

/** A part of a file that was made. @throws `not_found` when it was not, or is gone again */
export async function readExport(
  mirror: Mirror,
  id: string,
  offset: number,
  maxBytes: number,
): Promise<{ content: Buffer; bytes: number }> {
  const file = ID.test(id) ? await open(fileOf(mirror, id), 'r').catch(() => undefined) : undefined;
  if (!file) {
    throw new SandpiperError('not_found', 'This download is not there any more.', { hint: 'Begin it again.' });
  }
  try {
    const { size } = await file.stat();
    const content = Buffer.alloc(Math.max(0, Math.min(maxBytes, size - offset)));
    const { bytesRead } = await file.read(content, 0, content.length, offset);
    return { content: content.subarray(0, bytesRead), bytes: size };
  } finally {
    await file.close();
  }
}

function fileOf(mirror: Mirror, id: string): string {
  return join(mirror.path, `export-${id}`);
}

/** Made aside and renamed: a file with this name is whole. Two that make it at once make the same. */
async function makeOnce(
  mirror: Mirror,
  ingredients: readonly string[],
  make: (folder: string, file: string) => Promise<void>,
): Promise<Export> {
  const id = createHash('sha1').update(ingredients.join('\n')).digest('hex');
  const path = fileOf(mirror, id);
  const now = new Date();
  const isThere = await utimes(path, now, now).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    const folder = await mkdtemp(join(mirror.path, 'export-new-'));
    try {
      const file = join(folder, 'file');
      await make(folder, file);
      const { size } = await stat(file);
      if (size > MAX_EXPORT_BYTES) {
        throw new SandpiperError(
          'too_large',
          `What would be handed out has ${size} bytes, more than Sandpiper allows.`,
        );
      }
      await rename(file, path);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    const part: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    hash.update(part);
    bytes += part.length;
  }
  return { id, bytes, sha256: hash.digest('hex') };
}

async function knownCommits(mirror: Mirror, commits: readonly string[]): Promise<string[]> {
  const known = [];
  for (const commit of new Set(commits)) {
    if ((await tryGit(['cat-file', '-e', `${commit}^{commit}`], { gitDir: mirror.path })).code === 0) {
      known.push(commit);
    }
  }
  return known;
}
