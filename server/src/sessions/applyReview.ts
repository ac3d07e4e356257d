import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { EventOf } from '../../../protocol/events.ts';
import type { SessionState, Submission } from '../../../protocol/session.ts';
import { listChanges } from '../git/diff.ts';
import { applyCommand } from '../git/applyScript.ts';
import { appliedRef, updateRef } from '../git/refs.ts';
import { mergeTrees } from '../review/mergeTrees.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import { isToApply } from './appliedReview.ts';
import type { Dependencies } from './dependencies.ts';
import { offerTurn } from './offering.ts';
import type { SessionLog } from './sessionLog.ts';
import { bringCommits, scratchOf } from './sandboxMirror.ts';
import { commitWork, lastLines, mirrorOf } from './workspace.ts';

const APPLY_TIMEOUT_MS = 5 * 60_000;
const MAX_LEFT = 50;

type Outcome = Pick<EventOf<'reviewApplied'>, 'commit' | 'files' | 'left' | 'failure'>;

/**
 * Brings the rejections and edits of a submission into the agent's files, between two turns. What the agent has there is
 * taken as a commit first and merged with it, so that nothing of the agent's is lost; what is there afterwards is taken as
 * a commit too, and is what the log then says. A kill at any point leaves files that are old or new, each whole; repeated,
 * it comes to the same end. What fails is said, and the agent is told to do it: a message must not be held up by it.
 */
export async function applyReview(
  dependencies: Dependencies,
  log: SessionLog,
  sandbox: Sandbox,
  submission: number,
): Promise<void> {
  const { state } = log;
  const review = state.feedback?.submissions.find(({ number }) => number === submission);
  if (!review || !isToApply(review)) {
    return;
  }
  const outcome = await tryToApply(dependencies, sandbox, state, review);
  const offered = await offerTurn(mirrorOf(dependencies, state), state, outcome.commit);
  await dependencies.ownership.confirm();
  await log.update(now => {
    const isSame = now.accepted === state.accepted && now.proposed === state.proposed;
    const current = now.feedback?.submissions.find(({ number }) => number === submission);
    return isSame && current && isToApply(current)
      ? { events: [{ type: 'reviewApplied', submission, ...outcome, ...offered }] }
      : undefined;
  });
}

async function tryToApply(
  dependencies: Dependencies,
  sandbox: Sandbox,
  state: SessionState,
  review: Submission,
): Promise<Outcome> {
  try {
    return await apply(dependencies, sandbox, state, review);
  } catch (error) {
    const { code, message } = toSandpiperError(error);
    // What the step is taken again for, or a person stops it with, is not a failure of this one.
    if (!['git_failed', 'import_refused', 'too_large', 'timeout'].includes(code)) {
      throw error;
    }
    dependencies.log.log('warn', 'session', `A review was not applied: ${message}`, { sessionId: state.id });
    return { commit: currentCheckpoint(state), files: 0, left: [], failure: message };
  }
}

async function apply(
  dependencies: Dependencies,
  sandbox: Sandbox,
  state: SessionState,
  { number, agents, proposed }: Submission,
): Promise<Outcome> {
  const mirror = mirrorOf(dependencies, state);
  const ref = appliedRef(state.id);
  const message = `Review ${number} of session ${state.id}\n`;
  const before = await commitWork(dependencies, sandbox, state, { ref, message });
  const { commit: wanted, conflicts } = await mergeTrees(
    mirror,
    { base: agents, ours: before.commit, theirs: proposed },
    `submission ${number}`,
  );
  const { files } = await listChanges(mirror, before.commit, wanted);
  if (files.length > 0) {
    await dependencies.ownership.confirm();
    const { workspace } = sandbox.paths;
    await bringCommits(sandbox, mirror, [wanted], [before.commit]);
    const { code, stderr } = await sandbox.exec(
      applyCommand({ workspace, scratch: scratchOf(sandbox), from: before.commit, to: wanted }),
      { timeoutMs: APPLY_TIMEOUT_MS },
    );
    if (code !== 0) {
      dependencies.log.log('warn', 'session', `A review was applied in part at most (${code}): ${lastLines(stderr)}`, {
        sessionId: state.id,
      });
    }
  }
  const after = await commitWork(dependencies, sandbox, state, { ref, message });
  await dependencies.ownership.confirm();
  await updateRef(mirror, ref, after.commit);
  // Not from what was there before: a step that is taken again finds its own work there.
  const [asked, changed, missing] = await Promise.all([
    listChanges(mirror, agents, proposed),
    listChanges(mirror, agents, after.commit),
    listChanges(mirror, after.commit, wanted),
  ]);
  const left = new Set([...conflicts, ...missing.files].map(({ path }) => path));
  const paths = new Set(asked.files.flatMap(({ path, oldPath = path }) => [path, oldPath]));
  const done = changed.files.filter(
    ({ path, oldPath = path }) => (paths.has(path) || paths.has(oldPath)) && !left.has(path),
  );
  return { commit: after.commit, files: done.length, left: [...left].slice(0, MAX_LEFT) };
}
