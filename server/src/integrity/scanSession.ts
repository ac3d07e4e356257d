import { toError, toSandpiperError } from '../../../protocol/errors.ts';
import { reduceEvents } from '../../../protocol/reducer.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { acceptedRef, checkpointRef, proposedRef, restoreRef } from '../git/refs.ts';
import type { Store } from '../store/store.ts';

const PAGE = 1000;

/** What a session's log says, as far as it can be read. */
export interface SessionScan {
  sessionId: string;
  /** Undefined when not even the first event can be read. */
  state: SessionState | undefined;
  /** Blobs that its events name: hash to size. */
  blobs: Map<string, number>;
  /** Why it cannot be read to its end. */
  problem: string | undefined;
}

/** Reads a session's log from its beginning, page by page, and runs the reducer over it. Never throws. */
export async function scanSession(store: Pick<Store, 'readEvents'>, sessionId: string): Promise<SessionScan> {
  const scan: SessionScan = { sessionId, state: undefined, blobs: new Map(), problem: undefined };
  // Near damage events are read one by one, so that everything before it counts.
  for (let page = PAGE, read = page; read === page;) {
    try {
      read = await readPage(store, scan, page);
    } catch (error) {
      if (page === 1) {
        scan.problem = causeText(error);
        break;
      }
      page = read = 1;
    }
  }
  return scan;
}

/** @returns how many events there were */
async function readPage(store: Pick<Store, 'readEvents'>, scan: SessionScan, limit: number): Promise<number> {
  const events = await store.readEvents(scan.sessionId, scan.state?.seq ?? 0, limit);
  if (events.length > 0) {
    scan.state = reduceEvents(scan.state, events, scan.sessionId);
  }
  for (const event of events) {
    collectBlobs(event.body, scan.blobs);
  }
  return events.length;
}

/** Without the point at its end. */
function causeText(error: unknown): string {
  const failure = toSandpiperError(error);
  const isDefect = failure.code === 'internal' && failure.cause instanceof Error;
  return (isDefect ? toError(failure.cause).message : failure.message).replace(/\.$/, '');
}

/** Blobs stand in payloads, wherever these are in an event. */
function collectBlobs(value: unknown, blobs: Map<string, number>): void {
  if (typeof value !== 'object' || value === null) {
    return;
  }
  for (const [name, part] of Object.entries(value)) {
    const { hash, bytes } = name === 'blob' ? blobOf(part) : {};
    if (hash !== undefined && bytes !== undefined) {
      blobs.set(hash, bytes);
    } else {
      collectBlobs(part, blobs);
    }
  }
}

function blobOf(value: unknown): { hash?: string; bytes?: number } {
  return typeof value === 'object' &&
    value !== null &&
    'hash' in value &&
    'bytes' in value &&
    typeof value.hash === 'string' &&
    typeof value.bytes === 'number' &&
    /^[0-9a-f]{64}$/.test(value.hash)
    ? { hash: value.hash, bytes: value.bytes }
    : {};
}

/** The refs that a session's mirror must have, by its log: these are derived (I1). */
export function refsOf(state: SessionState): Map<string, string> {
  const refs = new Map<string, string>();
  for (const { number, checkpoint } of state.turns) {
    if (checkpoint) {
      refs.set(checkpointRef(state.id, number), checkpoint.commit);
    }
  }
  for (const { seq, saved } of state.restores ?? []) {
    if (saved !== undefined) {
      refs.set(restoreRef(state.id, seq), saved);
    }
  }
  refs.set(proposedRef(state.id), state.proposed);
  refs.set(acceptedRef(state.id), state.accepted);
  return refs;
}
