import { copyFile, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { Archives } from '../archives/archives.ts';
import { VERSION } from '../core/config.ts';
import type { BackupCounts, BackupSummary, OnProgress } from '../core/dataFolderTools.ts';
import { explainDiskFull } from '../core/diskSpace.ts';
import { syncFolder } from '../core/syncFolder.ts';
import { formatRefs, listRefs, missingCommits, packCommits, readShallow } from '../git/mirrorCopy.ts';
import type { Mirror } from '../git/mirror.ts';
import type { Mirrors } from '../git/mirrors.ts';
import { refsOf, scanSession } from '../integrity/scanSession.ts';
import type { Store } from '../store/store.ts';
import { cannotWrite, chooseFile, refuseExisting, removeAbandoned } from './backupTarget.ts';
import { DATABASE, FORMAT_VERSION, START, type Start } from './backupFormat.ts';
import { BackupWriter } from './backupWriter.ts';

export interface MakeBackupOptions {
  target: string;
  blobFolder: string;
  archiveFolder: string;
  conversationFolder: string;
  mirrors: Mirrors;
  archives: Archives;
  /** Copies the database, as it is at one moment, into a file that does not exist yet. */
  copyDatabase(target: string): Promise<void>;
  openStore(file: string): Promise<Store>;
  onProgress: OnProgress;
  signal: AbortSignal;
}

/** What the database's copy says that must be in the backup. */
interface Wanted {
  sessions: Set<string>;
  events: number;
  blobs: Set<string>;
  /** Refs of each repository, by the log. */
  refs: Map<string, Map<string, string>>;
  warnings: string[];
}

/** The backup is written beside its place, with what is staged for it, and renamed when it is whole. */
export async function makeBackup(options: MakeBackupOptions): Promise<BackupSummary> {
  const createdAt = Date.now();
  const file = await chooseFile(options.target, createdAt);
  await removeAbandoned(file);
  const staging = await mkdtemp(`${file}.partial-${process.pid}-`).catch((error: unknown) => {
    throw cannotWrite(file, error);
  });
  try {
    const { bytes, counts, warnings } = await write(options, join(staging, 'backup'), staging, createdAt);
    await refuseExisting(file);
    await rename(join(staging, 'backup'), file);
    await syncFolder(dirname(file));
    return { file, bytes, version: VERSION, createdAt, counts, warnings };
  } catch (error) {
    throw options.signal.aborted ? stopped(file) : explainDiskFull(error);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function write(
  options: MakeBackupOptions,
  file: string,
  staging: string,
  createdAt: number,
): Promise<{ bytes: number; counts: BackupCounts; warnings: string[] }> {
  const { onProgress, signal } = options;
  const writer = await BackupWriter.open(file, signal);
  try {
    const start: Start = { format: 'sandpiper-backup', formatVersion: FORMAT_VERSION, version: VERSION, createdAt };
    await writer.addText(START, `${JSON.stringify(start)}\n`);
    onProgress('database');
    // The database comes first: what it names in blobs and mirrors was there before it.
    const database = join(staging, DATABASE);
    await options.copyDatabase(database);
    const wanted = await readWanted(options, database);
    await writer.addFile(DATABASE, database);
    await rm(database);
    await addConversations(options, writer, wanted, staging);
    const archives = await addArchives(options, writer, wanted);
    const blobs = await addBlobs(options, writer, wanted);
    const { mirrors, commits } = await addMirrors(options, writer, wanted, staging);
    const { sessions, events, warnings } = wanted;
    const counts = { sessions: sessions.size, events, blobs, mirrors, commits, archives };
    onProgress('checksums');
    return { bytes: await writer.finish({ counts, warnings }), counts, warnings };
  } finally {
    await writer.close();
  }
}

async function readWanted(options: MakeBackupOptions, database: string): Promise<Wanted> {
  const { onProgress, signal } = options;
  const store = await options.openStore(database);
  try {
    const lists = await Promise.all([false, true].map(archived => store.listSessions({ archived, limit: -1 })));
    const rows = lists.flat();
    const sessions = new Set(rows.map(row => row.sessionId));
    const wanted: Wanted = { sessions, events: 0, blobs: new Set(), refs: new Map(), warnings: [] };
    for (const [index, { sessionId }] of rows.entries()) {
      signal.throwIfAborted();
      onProgress(`sessions ${index + 1} of ${rows.length}`);
      const { state, blobs, problem } = await scanSession(store, sessionId);
      if (problem !== undefined) {
        wanted.warnings.push(`The log of session ${sessionId} cannot be read to its end: ${problem}.`);
      }
      for (const hash of blobs.keys()) {
        wanted.blobs.add(hash);
      }
      if (state) {
        wanted.events += state.seq;
      }
      if (state && problem === undefined) {
        const refs = wanted.refs.get(state.repository.id) ?? new Map<string, string>();
        refsOf(state).forEach((commit, ref) => refs.set(ref, commit));
        wanted.refs.set(state.repository.id, refs);
      }
    }
    return wanted;
  } finally {
    await store.close();
  }
}

/** What the agents remember grows with every turn, so each is copied before it is measured. */
async function addConversations(
  { conversationFolder, onProgress, signal }: MakeBackupOptions,
  writer: BackupWriter,
  { sessions }: Wanted,
  staging: string,
): Promise<void> {
  onProgress('conversations');
  for (const name of await readdir(conversationFolder).catch(() => [])) {
    signal.throwIfAborted();
    if (name.endsWith('.jsonl') && sessions.has(name.slice(0, name.indexOf('.')))) {
      const copy = join(staging, name);
      await copyFile(join(conversationFolder, name), copy);
      await writer.addFile(`conversations/${name}`, copy);
      await rm(copy);
    }
  }
}

/** @returns how many deleted sessions there are, whose blobs are wanted from now on */
async function addArchives(
  { archives, archiveFolder, onProgress }: MakeBackupOptions,
  writer: BackupWriter,
  { sessions, blobs }: Wanted,
): Promise<number> {
  onProgress('archives');
  // One that was deleted after the database was copied is in the backup as it was before.
  const deleted = (await archives.list()).manifests.filter(({ sessionId }) => !sessions.has(sessionId));
  for (const { sessionId, blobs: named } of deleted) {
    named.forEach(hash => blobs.add(hash));
    await writer.addFile(`archives/sessions/${sessionId}.json`, join(archiveFolder, 'sessions', `${sessionId}.json`));
  }
  // What was in sandboxes of no known session.
  for (const name of await readdir(join(archiveFolder, 'sandboxes')).catch(() => [])) {
    await writer.addFile(`archives/sandboxes/${name}`, join(archiveFolder, 'sandboxes', name));
  }
  for (const { hash, bytes } of await archives.parts.list(Date.now())) {
    await writer.addFile(`archives/parts/${hash}`, archives.parts.fileOf({ hash, bytes }));
  }
  return deleted.length;
}

async function addBlobs(
  { blobFolder, onProgress }: MakeBackupOptions,
  writer: BackupWriter,
  { blobs, warnings }: Wanted,
): Promise<number> {
  let added = 0;
  for (const hash of blobs) {
    onProgress(`blobs ${added + 1} of ${blobs.size}`);
    const name = `${hash.slice(0, 2)}/${hash.slice(2)}`;
    const path = join(blobFolder, name);
    if (
      await stat(path).then(
        () => true,
        () => false,
      )
    ) {
      await writer.addFile(`blobs/${name}`, path);
      added++;
    } else {
      warnings.push(`The blob ${hash} is missing.`);
    }
  }
  return added;
}

async function addMirrors(
  { mirrors, onProgress, signal }: MakeBackupOptions,
  writer: BackupWriter,
  { refs: wantedRefs, warnings }: Wanted,
  staging: string,
): Promise<{ mirrors: number; commits: number }> {
  const ids = await mirrors.list();
  let added = 0;
  let commits = 0;
  for (const id of ids) {
    signal.throwIfAborted();
    onProgress(`mirrors ${added + 1} of ${ids.length}`);
    const mirror = mirrors.open(id);
    if (!mirror) {
      continue;
    }
    const refs = await refsAtPoint(mirror, wantedRefs.get(id) ?? new Map(), warnings);
    const pack = await packCommits(mirror, refs.values(), staging).catch((error: unknown) => {
      warnings.push(`The mirror ${id} is damaged and not in the backup: ${toSandpiperError(error).message}`);
      return 'damaged' as const;
    });
    if (pack === 'damaged') {
      continue;
    }
    const shallow = await readShallow(mirror);
    await writer.addText(`mirrors/${id}/refs`, formatRefs(refs));
    if (shallow !== undefined) {
      await writer.addText(`mirrors/${id}/shallow`, shallow);
    }
    if (pack !== undefined) {
      await writer.addFile(`mirrors/${id}/pack`, pack);
      await rm(pack);
      await rm(pack.replace(/pack$/, 'idx'), { force: true });
    }
    added++;
    commits += new Set(refs.values()).size;
  }
  return { mirrors: added, commits };
}

/** The refs of a mirror at the database's point in time: a session's are those of its log, without turns that came later. */
async function refsAtPoint(
  mirror: Mirror,
  wanted: ReadonlyMap<string, string>,
  warnings: string[],
): Promise<Map<string, string>> {
  const refs = await listRefs(mirror);
  const missing = await missingCommits(mirror, wanted.values());
  const sessions = new Set([...wanted.keys()].map(sessionOf));
  for (const ref of refs.keys()) {
    if (/\/turn\/\d+$/.test(ref) && sessions.has(sessionOf(ref)) && !wanted.has(ref)) {
      refs.delete(ref);
    }
  }
  for (const [ref, commit] of wanted) {
    if (!missing.has(commit)) {
      refs.set(ref, commit);
    } else if (refs.delete(ref)) {
      warnings.push(`The commit ${commit} of ${ref} is missing.`);
    }
  }
  return refs;
}

/** `refs/sandpiper/<session>/...` */
function sessionOf(ref: string): string {
  return ref.split('/').slice(0, 3).join('/');
}

function stopped(file: string): SandpiperError {
  return new SandpiperError('stopped', `The backup was stopped; ${file} was not written.`);
}
