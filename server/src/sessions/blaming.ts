import type { CallHandlers, CheckedParams } from '../../../protocol/calls.ts';
import type { Blamed, LineOrigin } from '../../../protocol/blame.ts';
import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import type { EventBody } from '../../../protocol/events.ts';
import type { SessionState, ToolItem } from '../../../protocol/session.ts';
import type { CallContext } from '../core/callContext.ts';
import { blameLines } from '../git/blame.ts';
import { ObjectReader } from '../git/objectReader.ts';
import type { Mirror } from '../git/mirror.ts';
import { entryAt, treeOf } from '../git/tree.ts';
import { splitLines } from '../review/hunks.ts';
import { commitTree } from '../review/decide.ts';
import { listPending } from '../review/pending.ts';
import type { Dependencies } from './dependencies.ts';
import type { Sessions } from './sessions.ts';
import { mirrorOf } from './workspace.ts';

const PAGE = 1000;
const MAX_PROMPT = 500;
const MAX_TOOLS = 5;
/** A line that says less could be anybody's. */
const MIN_TELLING = 4;

/** Where lines come from: read from the checkpoints and the log, and from nothing else. */
export function blameHandlers(
  dependencies: Dependencies,
  sessions: Sessions,
): Pick<CallHandlers<CallContext>, 'review.blame'> {
  return {
    'review.blame': async params => {
      const { log } = await sessions.get(params.sessionId);
      return { lines: await blame(dependencies, log.state, params) };
    },
  };
}

async function blame(
  dependencies: Dependencies,
  state: SessionState,
  { side, path, lines }: CheckedParams<'review.blame'>,
): Promise<Blamed[]> {
  const mirror = mirrorOf(dependencies, state);
  const { commit, text } = await sideOnTop(mirror, state, side, path);
  const [runs, facts, pending] = await Promise.all([
    blameLines(mirror, { commit, since: state.base, path, ...lines }),
    readFacts(dependencies, state.id, path),
    pendingLines(mirror, state, path),
  ]);
  return runs.map(run => {
    const words = text.slice(run.start, run.start + run.count);
    const isPending = side === 'proposed' && pending.some(hunk => overlaps(hunk, run));
    return {
      start: run.start,
      count: run.count,
      origin: originOf(state, facts, { ...run, isReviewer: run.commit === commit, path, words }),
      accepted: !isPending,
      ...(isPending || facts.acceptedBy === undefined ? {} : { acceptedBy: facts.acceptedBy }),
    };
  });
}

/** A side as a commit on top of the agent's files: what only the side has is then its own. Nothing names that commit. */
async function sideOnTop(
  mirror: Mirror,
  state: SessionState,
  side: 'accepted' | 'proposed',
  path: string,
): Promise<{ commit: string; text: string[] }> {
  const reader = new ObjectReader(mirror);
  try {
    const tree = await treeOf(reader, state[side]);
    const entry = await entryAt(reader, tree, path);
    const content = entry ? await reader.readAs(entry.id, 'blob') : Buffer.alloc(0);
    return {
      commit: await commitTree(mirror, tree, currentCheckpoint(state), 'blame'),
      text: splitLines(content).map(line => line.toString('utf8').trim()),
    };
  } finally {
    reader.dispose();
  }
}

async function pendingLines(mirror: Mirror, state: SessionState, path: string) {
  const file = (await listPending(mirror, state.accepted, state.proposed)).find(one => one.path === path);
  const all = { start: 0, count: Number.MAX_SAFE_INTEGER };
  return file?.hunks.length === 0
    ? [all]
    : (file?.hunks ?? []).map(hunk => ({ start: hunk.newStart, count: hunk.newCount }));
}

function overlaps(one: { start: number; count: number }, other: { start: number; count: number }): boolean {
  return one.start < other.start + other.count && other.start < one.start + one.count;
}

/** What the state does not keep. */
interface Facts {
  /** Submission by the commit that it became. */
  applied: ReadonlyMap<string, number>;
  editedBy: string | undefined;
  acceptedBy: string | undefined;
}

async function readFacts({ store }: Dependencies, sessionId: string, path: string): Promise<Facts> {
  const applied = new Map<string, number>();
  let editedBy: string | undefined;
  let acceptedBy: string | undefined;
  for (let after = 0; ;) {
    const events = await store.readEvents(sessionId, after, PAGE);
    for (const { body } of events) {
      if (body.type === 'reviewApplied') {
        applied.set(body.commit, body.submission);
      } else if (body.type === 'reviewDecided' && names(body, path)) {
        editedBy = body.verdict === 'edit' || body.verdict === 'reject' ? body.by : editedBy;
        acceptedBy = body.verdict === 'accept' ? body.by : acceptedBy;
      }
    }
    const last = events.at(-1);
    if (!last || events.length < PAGE) {
      return { applied, editedBy, acceptedBy };
    }
    after = last.seq;
  }
}

/** A decision on very many files names only the first. */
function names({ files, decided }: Extract<EventBody, { type: 'reviewDecided' }>, path: string): boolean {
  return files.some(file => file.path === path) || decided > files.length;
}

interface Run {
  commit: string;
  isBoundary: boolean;
  isReviewer: boolean;
  path: string;
  words: readonly string[];
}

/** Pure. */
function originOf(state: SessionState, facts: Facts, run: Run): LineOrigin {
  if (run.isReviewer) {
    return { kind: 'reviewer', by: facts.editedBy ?? 'owner' };
  }
  const turn = state.turns.find(({ checkpoint }) => checkpoint?.changed === true && checkpoint.commit === run.commit);
  if (turn) {
    const { tools, certain } = toolsOf(state, turn.number, run);
    const message = state.items.find(item => item.kind === 'message' && turn.messageIds.includes(item.id));
    const prompt = message?.kind === 'message' ? message.text.slice(0, MAX_PROMPT) : '';
    const itemId = certain ? tools[0]?.id : message?.id;
    return {
      kind: 'turn',
      turn: turn.number,
      startedAt: turn.startedAt,
      prompt,
      ...(itemId === undefined ? {} : { itemId }),
      ...(state.model === undefined ? {} : { model: state.model }),
      costUsd: turn.agent?.usage.costUsd ?? 0,
      tools: tools.slice(0, MAX_TOOLS).map(({ id, name, title }) => ({ id, name, title })),
      certain,
    };
  }
  const submission = facts.applied.get(run.commit);
  if (submission !== undefined) {
    return { kind: 'reviewer', by: facts.editedBy ?? 'owner', submission };
  }
  return { kind: run.isBoundary ? 'base' : 'unknown' };
}

/**
 * The calls of a turn that can have written the lines: those that were given the file and these words, else those that were
 * given the file, else every other that could write. Only the first kind, and of that only one, is certain.
 */
function toolsOf(state: SessionState, turn: number, { path, words }: Run): { tools: ToolItem[]; certain: boolean } {
  const calls = state.items.filter(
    (item): item is ToolItem => item.kind === 'tool' && item.turn === turn && item.state === 'ok',
  );
  const named = calls.filter(call => filesOf(call).some(file => file === path || file.endsWith(`/${path}`)));
  const telling = words.filter(word => word.length >= MIN_TELLING);
  const saying = named.filter(call => telling.length > 0 && telling.every(word => writtenBy(call).includes(word)));
  if (saying.length > 0) {
    return { tools: saying, certain: saying.length === 1 };
  }
  // A shell command can write anything, so it may also be the one beside an edit that does not have the words.
  const shells = calls.filter(call => call.name === 'Bash');
  const base = path.split('/').at(-1) ?? path;
  const likely = shells.filter(call => call.input.text.includes(base));
  return { tools: [...named, ...likely, ...shells.filter(call => !likely.includes(call))], certain: false };
}

const FILE_KEYS = ['file_path', 'notebook_path', 'path'];
const TEXT_KEYS: ReadonlySet<string> = new Set(['new_string', 'content', 'new_source', 'edits']);

function filesOf({ name, input }: ToolItem): string[] {
  // Reading a file does not write it.
  if (!['Edit', 'Write', 'MultiEdit', 'NotebookEdit'].includes(name)) {
    return [];
  }
  const parsed = inputOf(input.text);
  const inPreview = FILE_KEYS.map(key => parsed?.[key]).filter(value => typeof value === 'string');
  // A large input is cut; its file stands at its beginning.
  const cut = parsed ? undefined : /"(?:file_path|notebook_path|path)"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(input.text)?.[1];
  const read: unknown = cut === undefined ? undefined : JSON.parse(cut);
  return [...inPreview, ...(typeof read === 'string' ? [read] : [])].map(file => file.replaceAll('\\', '/'));
}

/** What an edit puts into its file. */
function writtenBy({ input }: ToolItem): string {
  const parsed = inputOf(input.text) ?? {};
  return Object.entries(parsed)
    .filter(([key]) => TEXT_KEYS.has(key))
    .map(([, value]) => (typeof value === 'string' ? value : newStrings(value)))
    .join('\n');
}

function newStrings(edits: unknown): string {
  return Array.isArray(edits)
    ? edits
        .map((edit: unknown) => (isRecord(edit) && typeof edit['new_string'] === 'string' ? edit['new_string'] : ''))
        .join('\n')
    : '';
}

function inputOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
