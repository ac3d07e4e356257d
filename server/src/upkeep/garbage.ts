import type { Retention } from '../core/config.ts';
import { durationText } from '../core/duration.ts';

/*
 * What nobody needs any more. Pure: from what is there, what refers to what, and the time. Whatever is not understood
 * stays.
 */

export interface SessionFacts {
  id: string;
  repositoryId: string;
  /** Blobs that its log may name. */
  blobs: readonly string[];
  /** Parts of archives that its sandbox will be made again from. */
  parts: readonly string[];
  sandbox: { id: string; cloned: boolean } | undefined;
  /** Something is under way: a sandbox may be being made. */
  busy: boolean;
}

export interface ArchiveFacts {
  sessionId: string;
  repositoryId: string;
  expiresAt: number;
  bytes: number;
  blobs: readonly string[];
  parts: readonly string[];
}

interface StoredFile {
  hash: string;
  bytes: number;
  ageMs: number;
}

export interface Inventory {
  now: number;
  sessions: readonly SessionFacts[];
  archives: readonly ArchiveFacts[];
  /** What is kept of sandboxes of no known session. */
  foreign: readonly { sandboxId: string; expiresAt: number; bytes: number; parts: readonly string[] }[];
  /** Whether an archive could not be read: what it refers to is then not known. */
  hasDamagedArchives: boolean;
  blobs: readonly StoredFile[];
  parts: readonly StoredFile[];
  mirrors: readonly { repositoryId: string; bytes: number; unusedMs: number }[];
  sandboxes: readonly { provider: string; id: string; key: string }[];
  /** Names of the folders in `run/`. */
  runFolders: readonly string[];
  /** Conversations and refs, by the session that they are of. */
  owned: readonly { sessionId: string; bytes: number; ageMs: number }[];
}

export type Garbage =
  | {
      kind: 'archive' | 'foreign' | 'blob' | 'part' | 'mirror' | 'runFolder' | 'left';
      name: string;
      bytes: number;
      why: string;
    }
  | { kind: 'sandbox'; provider: string; key: string; name: string; bytes: number; why: string; unsaved: boolean };

/** What may go, in the order in which it must. */
export function findGarbage(inventory: Inventory, retention: Retention): Garbage[] {
  const expired = inventory.archives.filter(archive => archive.expiresAt <= inventory.now);
  const kept = inventory.archives.filter(archive => archive.expiresAt > inventory.now);
  return [
    ...expired.map(({ sessionId, bytes }): Garbage => ({
      kind: 'archive',
      name: sessionId,
      bytes,
      why: 'it was deleted long ago',
    })),
    ...inventory.foreign
      .filter(({ expiresAt }) => expiresAt <= inventory.now)
      .map(({ sandboxId, bytes }): Garbage => ({
        kind: 'foreign',
        name: sandboxId,
        bytes,
        why: 'it was of no known session and saved long ago',
      })),
    ...unneededFiles(inventory, kept, retention),
    ...unneededMirrors(inventory, kept, retention),
    ...unownedSandboxes(inventory),
    ...inventory.runFolders
      .filter(name => !inventory.sessions.some(session => session.id.endsWith(name)))
      .map((name): Garbage => ({ kind: 'runFolder', name, bytes: 0, why: 'its session is gone' })),
    ...leftOfNone(inventory, retention),
  ];
}

/** A branching writes conversation and refs before there is a session; when it is never repeated, nobody has them. */
function leftOfNone(inventory: Inventory, { deletedMs }: Retention): Garbage[] {
  const { sessions, archives, owned, sandboxes } = inventory;
  const known = new Set([
    ...sessions.map(({ id }) => id),
    ...archives.map(({ sessionId }) => sessionId),
    ...sandboxes.map(({ key }) => key),
  ]);
  const ids = new Set(owned.map(({ sessionId }) => sessionId).filter(id => !known.has(id)));
  return inventory.hasDamagedArchives
    ? []
    : [...ids].flatMap((name): Garbage[] => {
        const parts = owned.filter(({ sessionId }) => sessionId === name);
        const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
        // As long as what was deleted: nobody knows what it is.
        return parts.every(({ ageMs }) => ageMs >= deletedMs)
          ? [{ kind: 'left', name, bytes, why: 'a session was begun with it that there is not' }]
          : [];
      });
}

function unneededFiles(inventory: Inventory, kept: readonly ArchiveFacts[], { gcGraceMs }: Retention): Garbage[] {
  if (inventory.hasDamagedArchives) {
    return [];
  }
  const roots = [...inventory.sessions, ...kept];
  const blobs = new Set(roots.flatMap(root => root.blobs));
  const foreign = inventory.foreign.filter(({ expiresAt }) => expiresAt > inventory.now);
  const parts = new Set([...roots, ...foreign].flatMap(root => root.parts));
  // What is young may have been written by somebody who is about to name it.
  const unneeded = (files: readonly StoredFile[], needed: ReadonlySet<string>) =>
    files.filter(({ hash, ageMs }) => ageMs >= gcGraceMs && !needed.has(hash));
  const why = 'nothing refers to it';
  return [
    ...unneeded(inventory.blobs, blobs).map(({ hash, bytes }) => ({ kind: 'blob', name: hash, bytes, why }) as const),
    ...unneeded(inventory.parts, parts).map(({ hash, bytes }) => ({ kind: 'part', name: hash, bytes, why }) as const),
  ];
}

function unneededMirrors(inventory: Inventory, kept: readonly ArchiveFacts[], { mirrorIdleMs }: Retention): Garbage[] {
  const needed = new Set([...inventory.sessions, ...kept].map(({ repositoryId }) => repositoryId));
  return mirrorIdleMs === 0 || inventory.hasDamagedArchives || hasForeignSandbox(inventory)
    ? []
    : inventory.mirrors
        .filter(({ repositoryId, unusedMs }) => !needed.has(repositoryId) && unusedMs >= mirrorIdleMs)
        .map(({ repositoryId, bytes }) => ({
          kind: 'mirror',
          name: repositoryId,
          bytes,
          why: 'no session is left that it was made for',
        }));
}

/** Whether there is a sandbox of no known session: it may be on any mirror. */
export function hasForeignSandbox({ sessions, archives, sandboxes }: Inventory): boolean {
  const known = new Set([...sessions.map(({ id }) => id), ...archives.map(({ sessionId }) => sessionId)]);
  return sandboxes.some(({ key }) => !known.has(key));
}

/** A sandbox belongs to the session that it was made for, though that may not know yet. */
function unownedSandboxes({ sessions, archives, sandboxes }: Inventory): Garbage[] {
  return sandboxes.flatMap(({ provider, id, key }): Garbage[] => {
    const session = sessions.find(candidate => candidate.id === key);
    const garbage = { kind: 'sandbox', provider, key, name: id, bytes: 0 } as const;
    if (!session) {
      const isArchived = archives.some(archive => archive.sessionId === key);
      return [{ ...garbage, why: 'its session is gone', unsaved: !isArchived }];
    }
    // Its work was saved and it was to be removed; a relay that was killed did not get to that.
    const isLetGo = !session.busy && session.sandbox === undefined && session.parts.length > 0;
    return isLetGo ? [{ ...garbage, why: 'it was let go of', unsaved: false }] : [];
  });
}

/** Why a session's sandbox is to be saved and removed, in words for its log; undefined when it stays. */
export function whyLetGo(
  session: { busy: boolean; cloned: boolean; lastUseAt: number; sandboxSince: number | undefined },
  { sandboxIdleMs, sandboxMaxAgeMs }: Pick<Retention, 'sandboxIdleMs' | 'sandboxMaxAgeMs'>,
  now: number,
): string | undefined {
  const idleMs = now - session.lastUseAt;
  if (session.busy || !session.cloned) {
    return undefined;
  }
  if (sandboxIdleMs > 0 && idleMs >= sandboxIdleMs) {
    return `after ${durationText(idleMs)} without use`;
  }
  const ageMs = now - (session.sandboxSince ?? now);
  // Not while somebody works with it.
  return sandboxMaxAgeMs > 0 && ageMs >= sandboxMaxAgeMs && idleMs >= Math.min(HOUR_MS, sandboxMaxAgeMs)
    ? `because it was ${durationText(ageMs)} old`
    : undefined;
}

const HOUR_MS = 3_600_000;
