import { rm } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { createGzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { summarize } from '../../../protocol/summarize.ts';
import type { Manifest, SavedSandbox } from '../archives/manifest.ts';
import type { Part } from '../archives/partStore.ts';
import { firstParent } from '../git/land.ts';
import type { Mirror } from '../git/mirror.ts';
import { baseRef, readRef } from '../git/refs.ts';
import { bundleRefs, listSessionRefs, type RefTarget } from '../git/sessionRefs.ts';
import type { JournalPosition } from '../store/store.ts';
import type { Dependencies } from './dependencies.ts';
import type { Deleting, Runtime } from './runtime.ts';

const PAGE = 500;

/** A session as its log ends at this moment. Nothing may be committed to it meanwhile. */
export interface FinalSession {
  state: SessionState;
  runtime: Runtime;
  journal: JournalPosition | undefined;
}

/**
 * Writes the archive of a session that is to be deleted. Durable when it resolves.
 * @param begun what an earlier attempt wrote: of what may be gone by now, that is the truth
 * @throws `disk_full`; the archive then does not exist, or is the one of the earlier attempt
 */
export async function archiveSession(
  dependencies: Dependencies,
  session: FinalSession,
  deleting: Deleting,
  kept: { sandbox: SavedSandbox | undefined; missing: readonly string[] } | { begun: Manifest },
): Promise<Manifest> {
  const { state, runtime, journal } = session;
  const rest =
    'begun' in kept
      ? kept.begun
      : {
          ...(kept.sandbox ? { sandbox: kept.sandbox } : {}),
          missing: [...kept.missing],
          ...(await archiveCommits(dependencies, state)),
        };
  const { refs, bundle, repository, sandbox, missing } = rest;
  const manifest: Manifest = {
    version: 1,
    deletionId: deleting.id,
    sessionId: state.id,
    deletedAt: deleting.at,
    expiresAt: deleting.at + dependencies.retention.deletedMs,
    wasArchived: deleting.wasArchived,
    summary: summarize(state),
    lastSeq: state.seq,
    runtime: JSON.stringify(runtime),
    ...(journal ? { journal } : {}),
    repository,
    refs,
    events: await archiveEvents(dependencies, state),
    ...(bundle ? { bundle } : {}),
    ...(sandbox ? { sandbox } : {}),
    blobs: (await dependencies.store.measureSession(state.id)).blobs,
    missing,
  };
  await dependencies.archives.write(manifest);
  return manifest;
}

/** Every ref of the session, and a bundle of the commits that only the relay has. */
async function archiveCommits(
  dependencies: Dependencies,
  state: SessionState,
): Promise<Pick<Manifest, 'refs' | 'repository'> & { bundle?: Part }> {
  const { includesUncommitted } = state;
  // The user's repository need not have what was merged in since.
  const base = state.startedFrom ?? state.base;
  const { id, source } = state.repository;
  const mirror = dependencies.mirrors.open(id);
  const refs = mirror ? await refsOf(mirror, state) : [];
  // A session that never got to its mirror has nothing there, and its base may not be there either.
  const upstream = mirror && refs.length > 0 && includesUncommitted ? await firstParent(mirror, base) : base;
  const repository = { id, source, upstream, base, includesUncommitted };
  if (!mirror || refs.length === 0) {
    return { refs, repository };
  }
  const { parts } = dependencies.archives;
  const file = parts.scratchFile();
  try {
    const bundled = await bundleRefs(mirror, refs, upstream, file);
    return { refs, repository, ...(bundled ? { bundle: await parts.put(createReadStream(file)) } : {}) };
  } finally {
    await rm(file, { force: true });
  }
}

async function refsOf(mirror: Mirror, { id, base }: SessionState): Promise<RefTarget[]> {
  const refs = await listSessionRefs(mirror, id);
  const name = baseRef(base);
  return (await readRef(mirror, name)) === undefined ? refs : [...refs, { name, commit: base }];
}

async function archiveEvents({ archives, store }: Dependencies, { id, seq }: SessionState): Promise<Part> {
  async function* lines(): AsyncGenerator<string> {
    for (let after = 0; after < seq;) {
      const events = await store.readEvents(id, after, PAGE);
      const last = events.at(-1);
      if (!last) {
        throw new SandpiperError('internal', `The log of ${id} ends at ${after} instead of ${seq}.`, {
          hint: 'Nothing was deleted. Run `sandpiper doctor`.',
        });
      }
      yield events.map(event => `${JSON.stringify(event)}\n`).join('');
      after = last.seq;
    }
  }
  return archives.parts.put(Readable.from(lines()).pipe(createGzip({ level: 4 })));
}
