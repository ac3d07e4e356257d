import { createGunzip } from 'node:zlib';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { SandpiperError } from '../../../protocol/errors.ts';
import { sessionEventSchema, type EventBody, type SessionEvent } from '../../../protocol/events.ts';
import { reduceEvents } from '../../../protocol/reducer.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { summarize } from '../../../protocol/summarize.ts';
import { partsOf, type Manifest } from '../archives/manifest.ts';
import { damaged, type PartStore } from '../archives/partStore.ts';
import { inspectRepository } from '../git/inspect.ts';
import { hasCommit, restoreRefs } from '../git/sessionRefs.ts';
import type { CallRecord } from '../store/store.ts';
import type { Dependencies } from './dependencies.ts';
import { runtimeSchema, type Runtime } from './runtime.ts';

const PAGE = 500;

/**
 * Brings a deleted session back as it was: commits and refs, then its log in one transaction. The sandbox is made again
 * when the next message comes. Repeating it after a failure is harmless.
 * @throws `not_found` without an archive, `internal` when it is damaged, `repository_unreachable` when commits are needed
 *   that only the user's repository had; nothing was changed then
 */
export async function restoreSession(
  dependencies: Dependencies,
  sessionId: string,
  call: (seq: number) => CallRecord,
): Promise<number> {
  const { archives } = dependencies;
  const manifest = await archives.read(sessionId);
  if (!manifest) {
    throw new SandpiperError('not_found', `There is no deleted session ${sessionId} to restore.`, {
      hint: 'Run `sandpiper sessions --deleted` to see those that can be restored.',
    });
  }
  await archives.parts.verify(partsOf(manifest));
  await restoreCommits(dependencies, manifest);
  const restored = new RestoredLog(manifest);
  await dependencies.store.importSession({
    sessionId,
    events: restored.pages(archives.parts),
    row: () => ({
      lastSeq: restored.state.seq,
      summary: summarize(restored.state),
      runtime: JSON.stringify(restoredRuntime(manifest)),
      journal: manifest.journal,
    }),
    call: call(manifest.lastSeq + afterwards(manifest, Date.now()).length),
  });
  await archives.remove(sessionId);
  return restored.state.seq;
}

/** The log as it was, and what the restoring adds to it. */
class RestoredLog {
  readonly #manifest: Manifest;
  #state: SessionState | undefined;

  constructor(manifest: Manifest) {
    this.#manifest = manifest;
  }

  /** After the last page. */
  get state(): SessionState {
    if (!this.#state) {
      throw damaged('its log is empty');
    }
    return this.#state;
  }

  async *pages(parts: PartStore): AsyncGenerator<readonly SessionEvent[]> {
    const { sessionId, events, lastSeq } = this.#manifest;
    let page: SessionEvent[] = [];
    const lines = createInterface({ input: Readable.from(parts.read(events)).pipe(createGunzip()) });
    for await (const line of lines) {
      page.push(sessionEventSchema.parse(JSON.parse(line)));
      if (page.length === PAGE) {
        yield this.#reduced(page);
        page = [];
      }
    }
    yield this.#reduced(page);
    if (this.#state?.seq !== lastSeq) {
      throw damaged(`its log ends at ${this.#state?.seq ?? 0} instead of ${lastSeq}`);
    }
    const at = Math.max(Date.now(), this.#state.updatedAt);
    yield this.#reduced(afterwards(this.#manifest, at).map((body, index) => ({ seq: lastSeq + index + 1, at, body })));
    this.#state = { ...this.state, id: sessionId };
  }

  #reduced(page: readonly SessionEvent[]): readonly SessionEvent[] {
    this.#state = reduceEvents(this.#state, page, this.#manifest.sessionId) ?? this.#state;
    return page;
  }
}

/** What the log says of it. */
function afterwards({ wasArchived, deletedAt, missing }: Manifest, now: number): EventBody[] {
  const days = Math.floor((now - deletedAt) / 86_400_000);
  const since = days < 1 ? 'today' : days === 1 ? 'yesterday' : `${days} days ago`;
  return [
    ...(wasArchived ? [] : [{ type: 'sessionArchived', archived: false } as const]),
    { type: 'noticeRaised', level: 'info', text: `This session was deleted ${since} and is restored.` },
    ...missing.map(text => ({ type: 'noticeRaised', level: 'warning', text: `Not restored: ${text}` }) as const),
  ];
}

/** No sandbox and no agent is left of it; what was saved of the sandbox waits for the next message. */
function restoredRuntime(manifest: Manifest): Runtime {
  const runtime = runtimeSchema.parse(JSON.parse(manifest.runtime));
  const { deleting: _deleting, sandbox: _sandbox, starting: _starting, releasing: _releasing, ...kept } = runtime;
  const { left: _left, ...restored } = kept;
  return {
    ...restored,
    cloned: false,
    answerContexts: {},
    ...(manifest.sandbox ? { saved: manifest.sandbox } : {}),
  };
}

async function restoreCommits(dependencies: Dependencies, manifest: Manifest): Promise<void> {
  const { refs, bundle, repository } = manifest;
  if (refs.length === 0) {
    return;
  }
  const existing = dependencies.mirrors.open(repository.id);
  const mirror =
    existing && (await hasCommit(existing, repository.upstream))
      ? existing
      : (
          await dependencies.mirrors.ensure(
            await inspectRepository(repository.source, { withoutWorkTree: true }),
            repository.upstream,
          )
        ).mirror;
  await restoreRefs(mirror, refs, bundle && dependencies.archives.parts.fileOf(bundle));
}
