import type { FileChange } from '../../../protocol/callParts.ts';
import type { EventBody } from '../../../protocol/events.ts';
import { listChanges } from '../git/diff.ts';
import type { Mirror } from '../git/mirror.ts';
import { nameHunks, type RawHunk } from './hunks.ts';
import { readRawHunks } from './pending.ts';

/** Rejections in a row, as what they made of the proposed tree. */
export interface Rejected {
  before: string;
  after: string;
  reason: string | undefined;
}

/** What the reviewer has otherwise than the agent, in one file and for one reason. */
export interface ReviewerChange {
  kind: 'rejection' | 'edit';
  path: string;
  reason: string | undefined;
  /** `-` is the agent's, `+` the reviewer's; empty when the change is of the whole file. */
  hunks: RawHunk[];
  whole: string | undefined;
}

/** The rejections of a part of the log. Pure. @param proposed the proposed commit before its first event */
export function rejectionsIn(proposed: string, bodies: readonly EventBody[]): Rejected[] {
  const found: Rejected[] = [];
  let now = proposed;
  for (const body of bodies) {
    const before = now;
    now = proposedAfter(body) ?? now;
    if (body.type !== 'reviewDecided' || body.verdict !== 'reject' || now === before) {
      continue;
    }
    const last = found.at(-1);
    if (last && last.after === before && last.reason === body.reason) {
      last.after = now;
    } else {
      found.push({ before, after: now, reason: body.reason });
    }
  }
  return found;
}

/** The proposed commit that an event makes; undefined when it makes none. */
export function proposedAfter(body: EventBody): string | undefined {
  switch (body.type) {
    case 'reviewDecided':
    case 'baseUpdated':
      return body.proposed;
    case 'turnFinished':
      return body.proposed ?? body.checkpoint;
    case 'reviewApplied':
      return body.proposed ?? body.commit;
    case 'restoreFinished':
      return body.code && (body.code.proposed ?? body.code.checkpoint);
    default:
      return undefined;
  }
}

/**
 * Everything that the proposed tree has otherwise than the agent's, each hunk once. It is a rejection where one took these
 * very lines out, and the reviewer's own edit otherwise: what is told is true of the trees, whatever was decided and
 * taken back on the way.
 */
export async function reviewerChanges(
  mirror: Mirror,
  sides: { agents: string; proposed: string },
  rejections: readonly Rejected[],
): Promise<ReviewerChange[]> {
  if (sides.agents === sides.proposed) {
    return [];
  }
  const [{ files }, hunks, known] = await Promise.all([
    listChanges(mirror, sides.agents, sides.proposed),
    readRawHunks(mirror, sides.agents, sides.proposed),
    namesOfRejected(mirror, rejections),
  ]);
  return files.flatMap(file => changesOfFile(file, hunks.get(file.path) ?? [], known));
}

interface Known {
  /** Reason by the name of a hunk. */
  hunks: ReadonlyMap<string, string | undefined>;
  /** Reason by path, of files that were decided as a whole. */
  files: ReadonlyMap<string, string | undefined>;
}

async function namesOfRejected(mirror: Mirror, rejections: readonly Rejected[]): Promise<Known> {
  const hunks = new Map<string, string | undefined>();
  const files = new Map<string, string | undefined>();
  for (const { before, after, reason } of rejections) {
    const [changes, raw] = await Promise.all([listChanges(mirror, before, after), readRawHunks(mirror, before, after)]);
    for (const { path } of changes.files) {
      const inFile = raw.get(path) ?? [];
      if (inFile.length === 0) {
        files.set(path, reason);
      }
      nameHunks(path, inFile).forEach(({ id }) => hunks.set(id, reason));
    }
  }
  return { hunks, files };
}

function changesOfFile(file: FileChange, hunks: readonly RawHunk[], known: Known): ReviewerChange[] {
  const { path } = file;
  if (hunks.length === 0) {
    const kind = known.files.has(path) ? 'rejection' : 'edit';
    return [{ kind, path, reason: known.files.get(path), hunks: [], whole: wholeFile(file, kind) }];
  }
  const groups = new Map<string, ReviewerChange>();
  nameHunks(path, hunks).forEach(({ id }, index) => {
    const hunk = hunks[index];
    const kind = known.hunks.has(id) ? 'rejection' : 'edit';
    const reason = known.hunks.get(id);
    const key = `${kind} ${reason ?? ''}`;
    const group = groups.get(key) ?? { kind, path, reason, hunks: [], whole: undefined };
    if (hunk) {
      group.hunks.push(hunk);
    }
    groups.set(key, group);
  });
  return [...groups.values()];
}

/** In words, from the agent's file to the reviewer's. */
function wholeFile(file: FileChange, kind: ReviewerChange['kind']): string {
  const isMine = kind === 'edit';
  switch (file.status) {
    case 'added':
      return isMine ? 'I added this file.' : 'You took this file away; it is there again.';
    case 'deleted':
      return isMine ? 'I took this file away.' : 'You added this file; it is taken away.';
    case 'renamed':
      return `It has this name again and not \`${file.oldPath ?? ''}\`.`;
    case 'typeChanged':
      return isMine ? 'I changed what kind of file it is.' : 'It is the kind of file again that it was.';
    case 'modified':
      if (file.mode !== file.oldMode && file.insertions + file.deletions === 0 && !file.binary) {
        return `Its mode is ${file.mode}, not ${file.oldMode}.`;
      }
      return isMine ? 'I replaced its content.' : 'Its content is again what it was before your change.';
  }
}
