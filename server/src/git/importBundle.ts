import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import { openBundle, refused, type BundleHeader } from './bundleHeader.ts';
import { complaint, gitEnvironment, quoteAlternate, tryGit } from './git.ts';
import { checkImport } from './importChecks.ts';
import type { Mirror } from './mirror.ts';
import { readPackIndex } from './packIndex.ts';
import { isCommitId, isRefName, NO_COMMIT, readRef, updateRef } from './refs.ts';

export interface ImportLimits {
  maxPackBytes: number;
  maxBlobBytes: number;
  maxObjects: number;
}

export interface ExpectedImport {
  /** The only ref that the bundle may have. */
  ref: string;
  /** What it must point at. */
  commit: string;
  /** In the mirror; the bundle's commits must be on top of it, and it is the only prerequisite allowed. */
  parent: string;
  /** What the ref is now; default: it does not exist. */
  oldValue?: string;
}

const LIMITS: ImportLimits = { maxPackBytes: 512_000_000, maxBlobBytes: 100_000_000, maxObjects: 500_000 };
/** Also the answer to packs that are small but inflate for ever. */
const INDEX_TIMEOUT_MS = 120_000;

/**
 * Takes a bundle that came out of a sandbox into the mirror, if it is nothing but what it should be. The pack is checked in
 * a quarantine that later steps read together with the mirror; only then its objects are moved in and the ref is set.
 * Repeating an import that succeeded succeeds.
 * @throws `import_refused` with the reason; the mirror is then as it was. `conflict` when the ref is not at `oldValue`
 */
export async function importBundle(
  mirror: Mirror,
  bundle: AsyncIterable<Uint8Array>,
  expected: ExpectedImport,
  limits: Partial<ImportLimits> = {},
): Promise<void> {
  if (!isRefName(expected.ref) || !isCommitId(expected.commit) || !isCommitId(expected.parent)) {
    throw new SandpiperError('invalid_params', 'The expected ref, commit or parent is not one.');
  }
  if ((await readRef(mirror, expected.ref)) === expected.commit) {
    return;
  }
  const caps = { ...LIMITS, ...limits };
  const { header, pack } = await openBundle(bundle);
  checkHeader(header, expected, caps);
  const quarantine = await mkdtemp(join(mirror.path, 'quarantine-'));
  try {
    await mkdir(join(quarantine, 'pack'));
    const env = {
      ...gitEnvironment(),
      GIT_DIR: mirror.path,
      GIT_OBJECT_DIRECTORY: quarantine,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: quoteAlternate(mirror.objects),
    };
    const name = await indexPack(env, pack, caps.maxPackBytes);
    const objects = readPackIndex(await readFile(join(quarantine, 'pack', `${name}.idx`)));
    const sent = objects.slice(0, header.objectCount);
    const appended = objects.slice(header.objectCount);
    await checkImport(env, { ...expected, sent, appended, maxBlobBytes: caps.maxBlobBytes });
    await moveIn(quarantine, mirror, name);
    await updateRef(mirror, expected.ref, expected.commit, expected.oldValue ?? NO_COMMIT);
  } finally {
    await rm(quarantine, { recursive: true, force: true });
  }
}

function checkHeader(header: BundleHeader, expected: ExpectedImport, limits: ImportLimits): void {
  const [ref, ...others] = header.refs;
  if (ref?.name !== expected.ref || others.length > 0) {
    throw refused(`it has other refs than ${expected.ref}`);
  }
  if (ref.commit !== expected.commit) {
    throw refused(`its ref is at ${ref.commit}, not at ${expected.commit}`);
  }
  if (header.prerequisites.some(commit => commit !== expected.parent)) {
    throw refused('it builds on another commit than the one that the turn started from');
  }
  if (header.objectCount > limits.maxObjects) {
    throw refused(`it has ${header.objectCount} objects, more than ${limits.maxObjects}`);
  }
}

/** Writes the pack into the quarantine, with every object checked as `git fsck --strict` does. */
async function indexPack(
  env: Record<string, string>,
  pack: AsyncIterable<Uint8Array>,
  maxPackBytes: number,
): Promise<string> {
  const result = await tryGit(
    ['index-pack', '--stdin', '--fix-thin', '--strict', '--threads=1', `--max-input-size=${maxPackBytes}`],
    { env, stdin: capped(pack, maxPackBytes), timeoutMs: INDEX_TIMEOUT_MS },
  ).catch((thrown: unknown) => {
    throw thrown instanceof SandpiperError && thrown.code === 'timeout'
      ? refused('it takes too long to unpack')
      : thrown;
  });
  const id = /^pack\t([0-9a-f]{40})\n/.exec(result.stdout.toString('latin1'))?.[1];
  if (result.code !== 0 || id === undefined) {
    throw /exceeds maximum allowed size/.test(result.stderr.toString('utf8'))
      ? tooLarge(maxPackBytes)
      : refused(`git says: ${complaint(result.stderr)}`);
  }
  return `pack-${id}`;
}

async function* capped(pack: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const chunk of pack) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw tooLarge(maxBytes);
    }
    yield chunk;
  }
}

/** The index comes last: without it git does not see the pack. */
async function moveIn(quarantine: string, mirror: Mirror, name: string): Promise<void> {
  const from = join(quarantine, 'pack');
  const to = join(mirror.objects, 'pack');
  await mkdir(to, { recursive: true });
  const files = (await readdir(from)).filter(file => file.startsWith(name));
  for (const file of files.sort((one, other) => Number(one.endsWith('.idx')) - Number(other.endsWith('.idx')))) {
    await rename(join(from, file), join(to, file));
  }
}

function tooLarge(maxBytes: number): SandpiperError {
  return refused(`it is larger than ${Math.round(maxBytes / 1e6)} MB`);
}
