import type { CallHandlers, CallResult, CheckedParams } from '../../../protocol/calls.ts';
import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { ReviewCounts, ReviewVerdict } from '../../../protocol/review.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { CallContext } from '../core/callContext.ts';
import type { Mirror } from '../git/mirror.ts';
import { ObjectReader } from '../git/objectReader.ts';
import { acceptedRef, proposedRef, updateRef } from '../git/refs.ts';
import { treeOf } from '../git/tree.ts';
import { acceptAllBut, decideHunks, editFile, takeFile, type Sides } from '../review/decide.ts';
import { mergeTrees } from '../review/mergeTrees.ts';
import { countPending, listPending } from '../review/pending.ts';
import { countReview } from './offering.ts';
import type { Dependencies } from './dependencies.ts';
import type { Idempotency, RecordOf } from './idempotency.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import { mirrorOf } from './workspace.ts';

export type ReviewHandlers = Pick<
  CallHandlers<CallContext>,
  'changes.acceptAll' | 'review.list' | 'review.decide' | 'review.edit' | 'review.resolve' | 'review.undo'
>;

/** What a decision makes of the two trees. */
interface Plan extends Sides {
  verdict: ReviewVerdict;
  files: { path: string; hunks?: number }[];
  decided: number;
  undoes?: number;
  reason?: string;
}

interface Decided extends Sides {
  review: ReviewCounts;
  seq: number;
}

/** A turn that ends or another reviewer can come between; each time it is decided anew on what is there then. */
const MAX_ATTEMPTS = 5;
const MAX_NAMED_FILES = 50;

/** The calls of a review. */
export function reviewHandlers(
  dependencies: Dependencies,
  sessions: Sessions,
  idempotency: Idempotency,
): ReviewHandlers {
  const decide = async (
    sessionId: string,
    plan: (mirror: Mirror, state: SessionState) => Promise<Plan>,
    record: (decided: Decided) => ReturnType<RecordOf>,
  ): Promise<Decided> => decideReview(dependencies, await sessions.get(sessionId), plan, record);
  return {
    'review.list': async ({ sessionId }) => {
      const { state } = (await sessions.get(sessionId)).log;
      const { accepted, proposed } = state;
      const { conflicts, decisions: _decisions, ...review } = state.review;
      const files = await listPending(mirrorOf(dependencies, state), accepted, proposed);
      return { accepted, proposed, review, files, conflicts };
    },
    'review.decide': params =>
      idempotency.once('review.decide', params, record =>
        decide(params.sessionId, (mirror, state) => planDecision(mirror, state, params), record),
      ),
    'review.edit': params =>
      idempotency.once('review.edit', params, record =>
        decide(
          params.sessionId,
          async (mirror, state) => ({
            ...(await editFile(mirror, sidesOf(state), {
              path: params.path,
              content: params.content === null ? undefined : Buffer.from(params.content, 'base64'),
              expected: params.expected ?? undefined,
            })),
            verdict: 'edit',
            files: [{ path: params.path }],
          }),
          record,
        ),
      ),
    'review.resolve': params =>
      idempotency.once('review.resolve', params, record =>
        decide(params.sessionId, (mirror, state) => planResolution(mirror, state, params), record),
      ),
    'review.undo': params =>
      idempotency.once('review.undo', params, record =>
        decide(params.sessionId, (mirror, state) => planUndo(mirror, state, params.seq), record),
      ),
    'changes.acceptAll': params =>
      idempotency.once('changes.acceptAll', params, async record => {
        let left: CallResult<'changes.acceptAll'>['left'] = [];
        const { accepted, seq } = await decide(
          params.sessionId,
          async (mirror, state) => {
            refuseStale(await isSameTree(mirror, state.proposed, params.expectedProposed));
            const plan = await planAcceptAll(mirror, state, params.confirmed);
            ({ left } = plan);
            return plan;
          },
          decided => record({ accepted: decided.accepted, seq: decided.seq, left }),
        );
        return { accepted, seq, left };
      }),
  };
}

/**
 * Makes a decision true: objects and refs first, then the event. A kill in between leaves refs ahead of the log, which the
 * next decision sets; the log is what counts (I1).
 */
async function decideReview(
  dependencies: Dependencies,
  session: Session,
  plan: (mirror: Mirror, state: SessionState) => Promise<Plan>,
  record: (decided: Decided) => ReturnType<RecordOf>,
): Promise<Decided> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const { state } = session.log;
    const mirror = mirrorOf(dependencies, state);
    const { verdict, files, decided, undoes, reason, accepted, proposed } = await plan(mirror, state);
    // A plan may say more than these; the log has what its schema has and no more.
    const sides = { accepted, proposed };
    const { review, stats } = await countReview(mirror, state, sides);
    await dependencies.ownership.confirm();
    await moveRefs(mirror, state, sides);
    let isCurrent = false;
    let seq = state.seq;
    await session.record(now => {
      // A turn can end without moving the proposed tree: where the reviewer's lines stay against the agent's.
      isCurrent =
        now.accepted === state.accepted &&
        now.proposed === state.proposed &&
        currentCheckpoint(now) === currentCheckpoint(state);
      if (!isCurrent) {
        return undefined;
      }
      const changes = sides.accepted !== now.accepted || sides.proposed !== now.proposed || verdict === 'resolve';
      const event = {
        type: 'reviewDecided',
        verdict,
        files: files.slice(0, MAX_NAMED_FILES),
        decided,
        ...sides,
        ...(undoes === undefined ? {} : { undoes }),
        ...(reason === undefined ? {} : { reason }),
        review,
        stats,
        by: 'owner',
      } as const;
      return {
        events: changes ? [event] : [],
        call: last => {
          seq = last;
          return record({ ...sides, review, seq: last });
        },
      };
    });
    if (isCurrent) {
      return { ...sides, review, seq };
    }
  }
  throw new SandpiperError('stale', 'The changes moved on again and again while this was decided.', {
    hint: 'Look at the changes again and repeat the decision.',
  });
}

async function planDecision(
  mirror: Mirror,
  state: SessionState,
  { verdict, files, reason, expected }: CheckedParams<'review.decide'>,
): Promise<Plan> {
  // A hunk's name says what it is; a whole file may be another one by now.
  const isCurrent = expected.accepted === state.accepted && expected.proposed === state.proposed;
  refuseStale(isCurrent || files.every(({ hunks }) => hunks !== undefined));
  const outcome = await decideHunks(mirror, sidesOf(state), verdict, files);
  return {
    ...outcome,
    verdict,
    ...(reason === undefined ? {} : { reason }),
    files: files.map(({ path, hunks }) => ({ path, ...(hunks === undefined ? {} : { hunks: hunks.length }) })),
  };
}

async function planAcceptAll(
  mirror: Mirror,
  state: SessionState,
  confirmed: readonly string[],
): Promise<Plan & { left: { path: string; reason: string }[] }> {
  const pending = await listPending(mirror, state.accepted, state.proposed);
  const sensitive = pending.filter(({ path, sensitive: why }) => why !== undefined && !confirmed.includes(path));
  const taken = pending.filter(file => !sensitive.includes(file));
  return {
    ...(await acceptAllBut(mirror, sidesOf(state), sensitive)),
    verdict: 'accept',
    files: taken.map(({ path }) => ({ path })),
    decided: countPending(taken).hunks,
    left: sensitive.map(({ path, sensitive: reason = '' }) => ({ path, reason })),
  };
}

async function planResolution(
  mirror: Mirror,
  state: SessionState,
  { path, take }: CheckedParams<'review.resolve'>,
): Promise<Plan> {
  if (!state.review.conflicts.some(conflict => conflict.path === path)) {
    throw new SandpiperError('stale', `There is no conflict about ${path} any more.`, {
      hint: 'Look at the changes again.',
    });
  }
  const sides = sidesOf(state);
  return {
    ...(take === 'theirs' ? await takeFile(mirror, sides, path, agentsOwn(state)) : sides),
    verdict: 'resolve',
    files: [{ path }],
    decided: 1,
  };
}

/** The agent's files, without the reviewer's that were brought into them since its last turn. */
function agentsOwn(state: SessionState): string {
  const checkpoint = currentCheckpoint(state);
  const applied = state.feedback?.applied;
  return applied?.commit === checkpoint ? applied.agents : checkpoint;
}

/** Merges the decision's reverse into what is there now, so that what was decided later stays. */
async function planUndo(mirror: Mirror, state: SessionState, seq: number | undefined): Promise<Plan> {
  const { decisions } = state.review;
  const decision = seq === undefined ? decisions.findLast(({ undo }) => !undo) : decisions.find(one => one.seq === seq);
  if (!decision) {
    throw new SandpiperError('stale', 'There is no decision to take back.', {
      hint: 'It was taken back already, or more than 200 decisions came after it.',
    });
  }
  const back = async (side: keyof Sides): Promise<string> => {
    const sides = { base: decision.after[side], ours: state[side], theirs: decision.before[side] };
    const { commit, conflicts } = await mergeTrees(mirror, sides, `undo ${decision.seq}`);
    const [first] = conflicts;
    if (first) {
      throw new SandpiperError('stale', `${first.path} was changed again after that decision.`, {
        hint: 'Take the later decision back first, or edit the file.',
      });
    }
    return commit;
  };
  const accepted = await back('accepted');
  const proposed = await back('proposed');
  return { accepted, proposed, verdict: 'undo', files: [], decided: 1, undoes: decision.seq };
}

async function moveRefs(mirror: Mirror, state: SessionState, { accepted, proposed }: Sides): Promise<void> {
  await Promise.all([
    accepted === state.accepted ? undefined : updateRef(mirror, acceptedRef(state.id), accepted),
    proposed === state.proposed ? undefined : updateRef(mirror, proposedRef(state.id), proposed),
  ]);
}

function sidesOf({ accepted, proposed }: SessionState): Sides {
  return { accepted, proposed };
}

/** What was taken back is there again, in another commit. */
async function isSameTree(mirror: Mirror, commit: string, seen: string): Promise<boolean> {
  if (commit === seen) {
    return true;
  }
  const reader = new ObjectReader(mirror);
  try {
    const [tree, seenTree] = await Promise.all([commit, seen].map(id => treeOf(reader, id)));
    return tree === seenTree;
  } catch {
    // A commit that is not there is not the one that is on offer.
    return false;
  } finally {
    reader.dispose();
  }
}

function refuseStale(isCurrent: boolean): void {
  if (!isCurrent) {
    throw new SandpiperError('stale', 'The changes are not the ones that you looked at any more.', {
      hint: 'Look at the changes again.',
    });
  }
}
