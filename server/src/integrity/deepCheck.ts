import { createHash } from 'node:crypto';
import type { SessionState } from '../../../protocol/session.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import { summarize } from '../../../protocol/summarize.ts';
import type { Archives } from '../archives/archives.ts';
import { partsOf } from '../archives/manifest.ts';
import type { DeepCheckResult, Finding, OnProgress } from '../core/dataFolderTools.ts';
import { connectionProblem, listRefs, missingCommits } from '../git/mirrorCopy.ts';
import type { Mirrors } from '../git/mirrors.ts';
import { updateRef } from '../git/refs.ts';
import type { SandboxProvider } from '../sandboxes/provider.ts';
import { runtimeSchema, type Runtime } from '../sessions/runtime.ts';
import type { RawRow, StoreInspection, StoreRepair } from '../store/inspection.ts';
import type { BlobStore } from '../store/store.ts';
import { FROM_BACKUP, inputFindings, lostEndFindings, refFindings, rowFindings, type RefFacts } from './findings.ts';
import { refsOf, scanSession } from './scanSession.ts';

export interface DeepCheckOptions {
  inspection: StoreInspection;
  blobs: BlobStore;
  mirrors: Mirrors;
  archives: Archives;
  providers: ReadonlyMap<string, SandboxProvider>;
  /** The index of what sessions say; absent where there is none. */
  search?: SearchInspection;
  /** Makes anew what the log gives; without it nothing is changed. */
  repair?: StoreRepair;
  onProgress: OnProgress;
}

/** The index of what sessions say, seen from below. */
export interface SearchInspection {
  positions(): Promise<ReadonlyMap<string, number>>;
  problems(): Promise<string[]>;
  /** It is made again with the next search. */
  clear(): Promise<void>;
}

const BLOB_CHUNK_BYTES = 4 * 1024 * 1024;

/** Compares everything that is stored with everything else. */
export async function deepCheck(options: DeepCheckOptions): Promise<DeepCheckResult> {
  return new DeepCheck(options).run();
}

class DeepCheck {
  readonly #options: DeepCheckOptions;
  readonly #findings: Finding[] = [];
  readonly #lastSeqs = new Map<string, number>();
  readonly #blobs = new Map<string, { bytes: number | undefined; sessionId: string }>();
  readonly #repositories = new Map<string, { state: SessionState; prepared: boolean }[]>();
  readonly #counts = { sessions: 0, events: 0, blobs: 0, mirrors: 0, commits: 0, archives: 0 };

  constructor(options: DeepCheckOptions) {
    this.#options = options;
  }

  async run(): Promise<DeepCheckResult> {
    const { inspection, onProgress } = this.#options;
    onProgress('database');
    for (const line of await inspection.integrity()) {
      this.#findings.push({
        level: 'error',
        part: 'database',
        text: `The database is damaged: ${line}.`,
        hint: FROM_BACKUP,
        repairable: false,
      });
    }
    const ids = await this.#sessionIds();
    for (const [index, sessionId] of ids.entries()) {
      onProgress(`sessions ${index + 1} of ${ids.length}`);
      await this.#checkSession(sessionId);
    }
    await this.#checkArchives();
    await this.#checkBlobs();
    await this.#checkMirrors();
    await this.#checkSearch(new Set(ids));
    return { counts: this.#counts, findings: this.#findings };
  }

  async #sessionIds(): Promise<string[]> {
    try {
      return await this.#options.inspection.sessionIds();
    } catch (error) {
      this.#unreadable(undefined, error);
      return [];
    }
  }

  async #checkSession(sessionId: string): Promise<void> {
    const { inspection } = this.#options;
    this.#counts.sessions++;
    const { state, blobs, problem } = await scanSession(inspection, sessionId);
    for (const [hash, bytes] of blobs) {
      this.#blobs.set(hash, { bytes, sessionId });
    }
    this.#counts.events += state?.seq ?? 0;
    this.#lastSeqs.set(sessionId, state?.seq ?? 0);
    if (problem !== undefined || !state) {
      const after = state === undefined ? 'from its beginning' : `after event ${state.seq}`;
      this.#findings.push({
        level: 'error',
        part: 'log',
        sessionId,
        text: `The log cannot be read ${after}: ${problem ?? 'it has no events'}.`,
        hint: FROM_BACKUP,
        repairable: false,
      });
      // What is derived from a part of a log is not what should be there.
      return;
    }
    try {
      const row = await inspection.readRow(sessionId);
      await this.#repairRow(sessionId, state, rowFindings(state, row));
      const runtime = this.#runtimeOf(sessionId, row);
      this.#findings.push(...inputFindings(state, runtime, row?.journal, await inspection.inputs(sessionId)));
      await this.#checkJournal(state, runtime, row);
      await this.#checkSaved(sessionId, runtime);
      const states = this.#repositories.get(state.repository.id) ?? [];
      states.push({ state, prepared: runtime?.sandbox !== undefined });
      this.#repositories.set(state.repository.id, states);
    } catch (error) {
      this.#unreadable(sessionId, error);
    }
  }

  #runtimeOf(sessionId: string, row: RawRow | undefined): Runtime | undefined {
    const parsed = runtimeSchema.safeParse(row?.runtime);
    if (row && !parsed.success) {
      this.#findings.push({
        level: 'error',
        part: 'row',
        sessionId,
        text: 'What the relay needs to go on with the session cannot be read.',
        hint: FROM_BACKUP,
        repairable: false,
      });
    }
    return parsed.data;
  }

  async #repairRow(sessionId: string, state: SessionState, findings: Finding[]): Promise<void> {
    const { repair } = this.#options;
    if (repair && findings.length > 0) {
      await repair.rewriteRow(sessionId, summarize(state));
      findings.forEach(finding => (finding.repaired = true));
    }
    this.#findings.push(...findings);
  }

  /** The stored offset must be the end of a line in the agent's output. */
  async #checkJournal(state: SessionState, runtime: Runtime | undefined, row: RawRow | undefined): Promise<void> {
    const { journal } = row ?? {};
    const provider = this.#options.providers.get(runtime?.sandbox?.provider ?? '');
    if (!journal || journal.offset < 1 || !runtime?.sandbox || !provider || !state.agent.running) {
      return;
    }
    try {
      const sandbox = await provider.attach(runtime.sandbox);
      const path = `${sandbox.paths.journal}/${journal.segment}/out`;
      const { data, missing } = await sandbox.readFrom(path, journal.offset - 1, 1);
      if (data.toString('latin1') !== '\n') {
        const what = missing ? 'is gone' : data.length === 0 ? 'was cut' : 'is not what the log was made from';
        this.#findings.push({
          level: 'error',
          part: 'journal',
          sessionId: state.id,
          text: `The journal of the agent ${what}.`,
          hint: 'The log is whole. Recover the session: the agent is ended and resumes the same conversation.',
          repairable: false,
        });
      }
    } catch (error) {
      this.#findings.push({
        level: 'warning',
        part: 'journal',
        sessionId: state.id,
        text: `The sandbox of the running agent cannot be reached: ${toSandpiperError(error).message}`,
        hint: 'The session says what became of it when the relay runs.',
        repairable: false,
      });
    }
  }

  /** What was in a sandbox that was let go of. */
  async #checkSaved(sessionId: string, runtime: Runtime | undefined): Promise<void> {
    if (runtime?.saved) {
      const { work, home } = runtime.saved;
      await this.#options.archives.parts.verify([work, home]).catch((error: unknown) => {
        this.#findings.push({
          level: 'error',
          part: 'archive',
          sessionId,
          text: `What was in the session's sandbox is damaged: ${toSandpiperError(error).message.replace(/\.$/, '')}.`,
          hint: 'Its checkpoints are whole; the session goes on from the last one. A backup may have the rest.',
          repairable: false,
        });
      });
    }
  }

  /** Every part of a deleted session has the content that its name says. */
  async #checkArchives(): Promise<void> {
    const { archives, onProgress } = this.#options;
    const { manifests, damaged } = await archives.list();
    const found = damaged.map(sessionId => ({ sessionId, problem: 'its manifest cannot be read' }));
    for (const manifest of manifests) {
      const { sessionId, blobs } = manifest;
      onProgress(`archives ${++this.#counts.archives} of ${manifests.length}`);
      blobs.forEach(hash => this.#blobs.set(hash, this.#blobs.get(hash) ?? { bytes: undefined, sessionId }));
      await archives.parts.verify(partsOf(manifest)).catch((error: unknown) => {
        found.push({ sessionId, problem: toSandpiperError(error).message });
      });
    }
    for (const { sessionId, problem } of found) {
      this.#findings.push({
        level: 'error',
        part: 'archive',
        sessionId,
        text: `The deleted session cannot be restored: ${problem.replace(/\.$/, '')}.`,
        hint: 'A backup from before may have it. Everything else goes on.',
        repairable: false,
      });
    }
  }

  async #checkBlobs(): Promise<void> {
    for (const [hash, { bytes, sessionId }] of this.#blobs) {
      this.#options.onProgress(`blobs ${this.#counts.blobs + 1} of ${this.#blobs.size}`);
      this.#counts.blobs++;
      const problem = await blobProblem(this.#options.blobs, hash, bytes);
      if (problem !== undefined) {
        this.#findings.push({
          level: 'error',
          part: 'blob',
          sessionId,
          text: `The blob ${hash} ${problem}.`,
          hint: 'What it held cannot be shown; all else goes on. A backup may have it.',
          repairable: false,
        });
      }
    }
  }

  async #checkMirrors(): Promise<void> {
    const { mirrors, onProgress } = this.#options;
    for (const [id, states] of this.#repositories) {
      onProgress(`mirrors ${this.#counts.mirrors + 1} of ${this.#repositories.size}`);
      const mirror = mirrors.open(id);
      const wanted = new Map(states.flatMap(({ state, prepared }) => (prepared ? [...refsOf(state)] : [])));
      if (wanted.size === 0) {
        continue;
      }
      try {
        const facts: RefFacts = mirror
          ? { refs: await listRefs(mirror), missing: await missingCommits(mirror, wanted.values()) }
          : { refs: new Map(), missing: new Set(wanted.values()) };
        const present = [...wanted.values()].filter(commit => !facts.missing.has(commit));
        this.#counts.mirrors++;
        this.#counts.commits += new Set(present).size;
        const problem = mirror && present.length > 0 ? await connectionProblem(mirror, present) : undefined;
        if (problem !== undefined) {
          this.#findings.push({
            level: 'error',
            part: 'ref',
            text: `The mirror ${id} is not complete. ${problem}`,
            hint: FROM_BACKUP,
            repairable: false,
          });
        }
        for (const { state, prepared } of states) {
          this.#findings.push(...lostEndFindings(state, facts.refs));
          const found = prepared ? refFindings(state, facts) : [];
          for (const { ref, commit, finding } of found) {
            if (this.#options.repair && mirror && finding.repairable) {
              await updateRef(mirror, ref, commit);
              finding.repaired = true;
            }
            this.#findings.push(finding);
          }
        }
      } catch (error) {
        this.#findings.push({
          level: 'error',
          part: 'ref',
          text: `The mirror ${id} cannot be read: ${toSandpiperError(error).message}`,
          hint: FROM_BACKUP,
          repairable: false,
        });
      }
    }
  }

  /** It may be behind the log, never before it, and it knows no session that is gone. */
  async #checkSearch(sessionIds: ReadonlySet<string>): Promise<void> {
    const { search, repair, onProgress } = this.#options;
    if (!search) {
      return;
    }
    onProgress('search index');
    const problems = await searchProblems(search, sessionIds, this.#lastSeqs);
    const repaired = repair !== undefined && problems.length > 0;
    if (repaired) {
      await search.clear();
    }
    for (const text of problems) {
      this.#findings.push({
        level: 'warning',
        part: 'search',
        text,
        hint: 'The next search mends it. To do it now, stop the relay and run: sandpiper doctor --deep --repair',
        repairable: true,
        ...(repaired ? { repaired } : {}),
      });
    }
  }

  #unreadable(sessionId: string | undefined, error: unknown): void {
    this.#findings.push({
      level: 'error',
      part: 'database',
      ...(sessionId === undefined ? {} : { sessionId }),
      text: toSandpiperError(error).message,
      hint: FROM_BACKUP,
      repairable: false,
    });
  }
}

async function searchProblems(
  search: SearchInspection,
  sessionIds: ReadonlySet<string>,
  lastSeqs: ReadonlyMap<string, number>,
): Promise<string[]> {
  try {
    const found = (await search.problems()).map(
      problem => `The search index is damaged: ${problem.replace(/\.$/, '')}.`,
    );
    for (const [sessionId, seq] of await search.positions()) {
      if (!sessionIds.has(sessionId)) {
        found.push(`The search index has the session ${sessionId}, which is gone.`);
      } else if (seq > (lastSeqs.get(sessionId) ?? 0)) {
        found.push(`The search index is ahead of the log of ${sessionId}.`);
      }
    }
    return found;
  } catch (error) {
    return [`The search index cannot be read: ${toSandpiperError(error).message.replace(/\.$/, '')}.`];
  }
}

/** Reads a blob in parts, so that a large one is not held whole. */
async function blobProblem(blobs: BlobStore, hash: string, expected: number | undefined): Promise<string | undefined> {
  const sum = createHash('sha256');
  try {
    for (let offset = 0, bytes = expected ?? 1; offset < Math.max(1, bytes);) {
      const part = await blobs.read(hash, offset, BLOB_CHUNK_BYTES);
      if (!part) {
        return 'is missing';
      }
      // An archive names its blobs without their sizes.
      bytes = expected ?? part.bytes;
      if (part.bytes !== bytes || (part.content.length === 0 && bytes > 0)) {
        return `has ${part.bytes} bytes instead of ${bytes}`;
      }
      sum.update(part.content);
      offset += Math.max(1, part.content.length);
    }
  } catch (error) {
    return `cannot be read: ${toSandpiperError(error).message.replace(/\.$/, '')}`;
  }
  return sum.digest('hex') === hash ? undefined : 'does not have the content that its name says';
}
