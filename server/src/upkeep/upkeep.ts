import { lstat, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { partsOf } from '../archives/manifest.ts';
import { durationText } from '../core/duration.ts';
import type { ListedSandbox, SandboxProvider } from '../sandboxes/provider.ts';
import { isUnderWay } from '../sessions/decisions.ts';
import type { Dependencies } from '../sessions/dependencies.ts';
import { runtimeSchema, type Runtime } from '../sessions/runtime.ts';
import { saveForeignSandbox } from '../sessions/savedSandbox.ts';
import { isSpareKey } from '../sessions/spares.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { listOwned, removeOwned } from './owned.ts';
import {
  findGarbage,
  hasForeignSandbox,
  whyLetGo,
  type Garbage,
  type Inventory,
  type SessionFacts,
} from './garbage.ts';

export interface Collected {
  removed: { kind: string; name: string; bytes: number; why: string }[];
  freedBytes: number;
  /** What could not be looked at or removed, and why. */
  problems: string[];
}

interface Row {
  id: string;
  summary: SessionSummary;
  runtime: Runtime;
  busy: boolean;
}

/** Four times what a burst leaves. */
const MAX_WAL_BYTES = 64 * 1024 * 1024;
/** How often marking begins anew because a session was deleted or restored meanwhile. */
const MARK_ATTEMPTS = 5;
/** An old agent ends when it has had nothing to do for a moment. */
const AGENT_IDLE_MS = 1000;
/** After the start there is better to do. */
const FIRST_RUN_MS = 60_000;

/** Looks from time to time for what may go and for quotas that are spent. One at a time. */
export class Upkeep {
  readonly #dependencies: Dependencies;
  readonly #sessions: Sessions;
  readonly #dataFolder: string;
  #running: Promise<Collected> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #sessionBytes = new Map<string, number>();
  #dataBytes = 0;

  constructor(options: { dependencies: Dependencies; sessions: Sessions; dataFolder: string }) {
    this.#dependencies = options.dependencies;
    this.#sessions = options.sessions;
    this.#dataFolder = options.dataFolder;
    const { gcIntervalMs } = options.dependencies.retention;
    if (gcIntervalMs > 0) {
      this.#schedule(Math.min(FIRST_RUN_MS, gcIntervalMs));
    }
  }

  /** Whether it removes something at this moment. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Removes what may go, or only says what. */
  async collect(dryRun: boolean): Promise<Collected> {
    while (this.#running) {
      await this.#running;
    }
    this.#running = this.#collect(dryRun).finally(() => (this.#running = undefined));
    return this.#running;
  }

  /**
   * Refuses what would make more data than the settings allow, as of the last look.
   * @throws `too_large` for the session, `disk_full` for the data folder
   */
  requireQuota(sessionId: string | undefined): void {
    const { sessionMaxBytes, dataMaxBytes } = this.#dependencies.retention;
    const bytes = sessionId === undefined ? 0 : (this.#sessionBytes.get(sessionId) ?? 0);
    if (sessionMaxBytes > 0 && bytes >= sessionMaxBytes) {
      throw new SandpiperError(
        'too_large',
        `The log of this session takes ${megabytes(bytes)}, and ${megabytes(sessionMaxBytes)} is its limit.`,
        { hint: 'Go on in a new session, or raise SANDPIPER_SESSION_MAX_MB. Nothing is lost.' },
      );
    }
    if (dataMaxBytes > 0 && this.#dataBytes >= dataMaxBytes) {
      throw new SandpiperError(
        'disk_full',
        `The data folder takes ${megabytes(this.#dataBytes)}, and ${megabytes(dataMaxBytes)} is its limit.`,
        { hint: 'Delete sessions, run `sandpiper gc`, or raise SANDPIPER_DATA_MAX_MB. Nothing is lost.' },
      );
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    return this.#running?.then(() => {}) ?? Promise.resolve();
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.collect(false)
        .catch((error: unknown) => this.#warn(`Looking for garbage failed: ${toError(error).message}`))
        .finally(() => this.#closed || this.#schedule(this.#dependencies.retention.gcIntervalMs));
    }, delayMs).unref();
  }

  async #collect(dryRun: boolean): Promise<Collected> {
    const problems: string[] = [];
    if (!dryRun) {
      await this.#letGo(problems);
    }
    const inventory = await this.#takeInventory(problems);
    const removed: Collected['removed'] = [];
    for (const garbage of inventory ? findGarbage(inventory, this.#dependencies.retention) : []) {
      if (this.#closed) {
        break;
      }
      try {
        if (dryRun || (await this.#remove(garbage, inventory?.now ?? 0))) {
          const { kind, name, bytes, why } = garbage;
          removed.push({ kind, name, bytes, why });
        }
      } catch (error) {
        problems.push(`${garbage.kind} ${garbage.name}: ${toError(error).message}`);
      }
    }
    if (inventory && !dryRun && !hasForeignSandbox(inventory)) {
      await this.#pruneMirrors(inventory, problems);
    }
    removed.push(...(await this.#sweepTemporary(dryRun)));
    await this.#measureData();
    await this.#checkWriteAheadLog(problems);
    const freedBytes = removed.reduce((sum, { bytes }) => sum + bytes, 0);
    if (!dryRun && removed.length > 0) {
      this.#dependencies.log.log('info', 'upkeep', 'Removed what nobody needs', { count: removed.length, freedBytes });
    }
    problems.forEach(problem => this.#warn(problem));
    return { removed, freedBytes, problems };
  }

  /** Saves and removes sandboxes that were not used for long. */
  async #letGo(problems: string[]): Promise<void> {
    const { retention } = this.#dependencies;
    for (const { id, summary, runtime, busy } of await this.#rows()) {
      const facts = {
        busy,
        cloned: runtime.sandbox !== undefined && runtime.cloned,
        lastUseAt: summary.updatedAt,
        sandboxSince: runtime.sandboxSince,
      };
      const agentAgeMs = Date.now() - (runtime.agentSince ?? Date.now());
      if (summary.agentRunning && retention.agentMaxAgeMs > 0 && agentAgeMs >= retention.agentMaxAgeMs) {
        const session = await this.#sessions.get(id);
        await session.releaseAgent(AGENT_IDLE_MS, Date.now(), `because it ran for ${durationText(agentAgeMs)}`);
      }
      const why = whyLetGo(facts, retention, Date.now());
      if (why !== undefined && !this.#closed) {
        try {
          await (await this.#sessions.get(id)).letGoOfSandbox(why);
        } catch (error) {
          problems.push(`The sandbox of session ${id} stays: ${toError(error).message}`);
        }
      }
    }
  }

  async #rows(): Promise<Row[]> {
    const { store } = this.#dependencies;
    const lists = await Promise.all([false, true].map(archived => store.listSessions({ archived, limit: -1 })));
    return lists.flat().map(row => ({
      id: row.sessionId,
      summary: row.summary,
      runtime: runtimeSchema.parse(JSON.parse(row.runtime)),
      busy: isUnderWay(row),
    }));
  }

  /**
   * What is there, then what refers to it: so whatever comes meanwhile is not among what is there. Undefined when sessions
   * were deleted or restored all the time.
   */
  async #takeInventory(problems: string[]): Promise<Inventory | undefined> {
    const { archives, blobs, mirrors, providers, runFolder } = this.#dependencies;
    for (let attempt = 0; attempt < MARK_ATTEMPTS; attempt++) {
      const before = this.#sessions.wholeChanges;
      const now = Date.now();
      const [storedBlobs, storedParts, runFolders, listedMirrors] = await Promise.all([
        blobs.list(),
        archives.parts.list(now),
        readdir(runFolder),
        mirrors.usage(now),
      ]);
      const owned = await listOwned(this.#dependencies, now);
      const sandboxes = await sandboxesOf([...providers.values()], problems);
      const sessions = await this.#sessionFacts(storedBlobs);
      const [listed, foreign] = await Promise.all([archives.list(), archives.listForeign()]);
      if (before !== undefined && before === this.#sessions.wholeChanges) {
        problems.push(
          ...listed.damaged.map(name => `The archive ${name} cannot be read; nothing it may need is removed.`),
        );
        return {
          now,
          sessions,
          archives: listed.manifests.map(manifest => ({
            sessionId: manifest.sessionId,
            repositoryId: manifest.repository.id,
            expiresAt: manifest.expiresAt,
            bytes: partsOf(manifest).reduce((sum, part) => sum + part.bytes, 0),
            blobs: manifest.blobs,
            parts: partsOf(manifest).map(part => part.hash),
          })),
          foreign: foreign.map(({ sandbox, expiresAt, saved }) => ({
            sandboxId: sandbox.id,
            expiresAt,
            bytes: saved.work.bytes + saved.home.bytes,
            parts: [saved.work.hash, saved.home.hash],
          })),
          hasDamagedArchives: listed.damaged.length > 0,
          blobs: storedBlobs,
          parts: storedParts,
          mirrors: listedMirrors,
          sandboxes,
          runFolders,
          owned,
        };
      }
      await new Promise(resolve => setTimeout(resolve, 200));
    }
    problems.push('Sessions are being deleted or restored; nothing was looked at.');
    return undefined;
  }

  async #sessionFacts(blobs: readonly { hash: string; bytes: number }[]): Promise<SessionFacts[]> {
    const sizes = new Map(blobs.map(({ hash, bytes }) => [hash, bytes]));
    const measured = new Map<string, number>();
    const facts: SessionFacts[] = [];
    for (const { id, summary, runtime, busy } of await this.#rows()) {
      const { logBytes, blobs: named } = await this.#dependencies.store.measureSession(id);
      measured.set(
        id,
        named.reduce((sum, hash) => sum + (sizes.get(hash) ?? 0), logBytes),
      );
      facts.push({
        id,
        repositoryId: summary.repository.id,
        blobs: named,
        parts: runtime.saved ? [runtime.saved.work.hash, runtime.saved.home.hash] : [],
        sandbox: runtime.sandbox && { id: runtime.sandbox.id, cloned: runtime.cloned },
        busy,
      });
    }
    this.#sessionBytes = measured;
    return facts;
  }

  /** @returns whether it is gone */
  async #remove(garbage: Garbage, now: number): Promise<boolean> {
    const { archives, blobs, mirrors, retention, runFolder } = this.#dependencies;
    const { name } = garbage;
    await this.#dependencies.ownership.confirm();
    switch (garbage.kind) {
      case 'archive':
        if (this.#sessions.isChanging(name)) {
          return false;
        }
        await archives.remove(name);
        return true;
      case 'foreign':
        await archives.removeForeign(name);
        return true;
      case 'blob':
        return blobs.remove(name, retention.gcGraceMs);
      case 'part':
        return archives.parts.remove(name, now, retention.gcGraceMs);
      case 'mirror':
        return mirrors.remove(name, retention.mirrorIdleMs);
      case 'runFolder':
        await rm(join(runFolder, name), { recursive: true, force: true });
        return true;
      case 'left':
        return !this.#sessions.isChanging(name) && removeOwned(this.#dependencies, name);
      case 'sandbox':
        return this.#removeSandbox(garbage);
    }
  }

  /** Objects that no ref needs go only where no clone can have borrowed them. */
  async #pruneMirrors({ sessions, archives, mirrors }: Inventory, problems: string[]): Promise<void> {
    const lenders = new Set(
      [...sessions.filter(({ sandbox, parts, busy }) => busy || sandbox || parts.length > 0), ...archives].map(
        ({ repositoryId }) => repositoryId,
      ),
    );
    for (const { repositoryId } of mirrors.filter(
      mirror => !lenders.has(mirror.repositoryId) && this.#dependencies.mirrors.open(mirror.repositoryId),
    )) {
      try {
        await this.#dependencies.mirrors.prune(repositoryId);
      } catch (error) {
        problems.push(`The mirror ${repositoryId} could not be tidied: ${toError(error).message}`);
      }
    }
  }

  async #removeSandbox(garbage: Extract<Garbage, { kind: 'sandbox' }>): Promise<boolean> {
    const { providers, retention, store } = this.#dependencies;
    const provider = providers.get(garbage.provider);
    const ref = { provider: garbage.provider, id: garbage.name };
    const row = await store.readSession(garbage.key).catch(() => undefined);
    if (row) {
      // Only the session itself knows whether one is being made at this moment.
      return (await this.#sessions.get(garbage.key)).removeLeftSandbox(ref);
    }
    if (!provider || this.#sessions.isChanging(garbage.key)) {
      return false;
    }
    if (garbage.unsaved) {
      await saveForeignSandbox(this.#dependencies, await provider.attach(ref), {
        key: garbage.key,
        expiresAt: Date.now() + retention.deletedMs,
      });
    }
    await provider.destroy(ref);
    return true;
  }

  async #sweepTemporary(dryRun: boolean): Promise<Collected['removed']> {
    const { archives, mirrors } = this.#dependencies;
    const names = [...(await archives.parts.removeStale(Date.now(), dryRun)), ...(await mirrors.sweep(dryRun))];
    return names.map(name => ({ kind: 'temporary', name, bytes: 0, why: 'whoever made it is gone' }));
  }

  async #measureData(): Promise<void> {
    if (this.#dependencies.retention.dataMaxBytes > 0) {
      this.#dataBytes = await folderBytes(this.#dataFolder);
    }
  }

  /** It is cut back after every burst, unless somebody reads an old state of the database all the time. */
  async #checkWriteAheadLog(problems: string[]): Promise<void> {
    const found = await stat(join(this.#dataFolder, 'relay.db-wal')).catch(() => undefined);
    if (found && found.size > MAX_WAL_BYTES) {
      problems.push(
        `relay.db-wal has grown to ${megabytes(found.size)}: another program has relay.db open in the middle of reading. Close it.`,
      );
    }
  }

  #warn(text: string): void {
    this.#dependencies.log.log('warn', 'upkeep', text);
  }
}

/** What the files of a folder take on disk; what goes away meanwhile counts nothing. */
async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      bytes += await folderBytes(path);
    } else {
      const found = await lstat(path).catch(() => undefined);
      bytes += (found?.blocks ?? 0) * 512;
    }
  }
  return bytes;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** Of a provider that cannot be asked none are known, so none of them are removed. */
async function sandboxesOf(providers: readonly SandboxProvider[], problems: string[]): Promise<ListedSandbox[]> {
  const lists = providers.map(async provider => {
    try {
      return (await provider.list()).filter(({ key }) => !isSpareKey(key));
    } catch (error) {
      if (!(error instanceof SandpiperError && error.code === 'sandbox_unavailable')) {
        throw error;
      }
      problems.push(`The sandboxes of "${provider.id}" cannot be listed: ${error.message}`);
      return [];
    }
  });
  return (await Promise.all(lists)).flat();
}
