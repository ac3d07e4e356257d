import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { EventBody } from '../../../protocol/events.ts';
import type { Updating } from '../../../protocol/baseEvents.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { acceptedRef, baseRef, ontoRef, proposedRef, restoreRef, updateRef } from '../git/refs.ts';
import type { CheckpointResult } from '../git/sandboxScripts.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import { cannotMerge, mergeBase, type OnBase } from './baseMerge.ts';
import type { Dependencies } from './dependencies.ts';
import { toFailure } from './failure.ts';
import { countReview } from './offering.ts';
import { placeFiles } from './placeFiles.ts';
import type { SessionLog } from './sessionLog.ts';
import { commitWork, mirrorOf, noticesOf } from './workspace.ts';

/**
 * Merges what the base branch has since into the session, as the log asks. No agent may run. The files as they are become a
 * commit and are written down before any changes; a relay that was killed begins with them again, and what is done twice
 * ends the same. Review and log change in one append at the end. Where it cannot be merged the files are as before.
 */
export async function updateBase(dependencies: Dependencies, log: SessionLog, sandbox: Sandbox): Promise<void> {
  const { updating } = log.state;
  if (!updating) {
    return;
  }
  try {
    const { saved, report } = await saveFiles(dependencies, log, sandbox, updating);
    const { state } = log;
    const mirror = mirrorOf(dependencies, state);
    const merged = await mergeBase(mirror, state, { ...updating, at: updating.since }, saved);
    if ('conflicts' in merged) {
      const error = cannotMerge(`${updating.branch} and this session`, merged.conflicts);
      await giveUp(dependencies, log, sandbox, { updating, error });
      return;
    }
    await log.update(() => ({ events: [], runtime: { update: { seq: updating.seq, saved } } }));
    await placeFiles(dependencies, sandbox, state, merged.saved);
    await finish(dependencies, log, state, { updating, merged, report });
  } catch (error) {
    const { code } = toSandpiperError(error);
    const isOnlyDelayed = ['sandbox_gone', 'stopped', 'fenced', 'unavailable'].includes(code);
    if (isOnlyDelayed || log.runtime.update?.seq === updating.seq) {
      throw error;
    }
    await giveUp(dependencies, log, sandbox, { updating, error });
  }
}

/** The files as they were before the first attempt. Work of others in them that is in no checkpoint yet is in it too. */
async function saveFiles(
  dependencies: Dependencies,
  log: SessionLog,
  sandbox: Sandbox,
  { seq }: Updating,
): Promise<{ saved: string; report: CheckpointResult }> {
  const { state } = log;
  const known = log.runtime.update?.seq === seq ? log.runtime.update.saved : undefined;
  const ref = restoreRef(state.id, seq, known !== undefined);
  const message = `Before update ${seq} of session ${state.id}\n`;
  const report = await commitWork(dependencies, sandbox, state, { ref, message });
  if (known === undefined && !report.bundle) {
    await updateRef(mirrorOf(dependencies, state), ref, report.commit);
  }
  return { saved: known ?? report.commit, report };
}

/** Says that nothing was merged. Files that an earlier attempt has changed are put back first. */
async function giveUp(
  dependencies: Dependencies,
  log: SessionLog,
  sandbox: Sandbox,
  { updating: { seq }, error }: { updating: Updating; error: unknown },
): Promise<void> {
  const { update } = log.runtime;
  if (update?.seq === seq) {
    await placeFiles(dependencies, sandbox, log.state, update.saved);
  }
  const failure = toFailure(toSandpiperError(error));
  await log.update(state =>
    state.updating?.seq === seq
      ? { events: [{ type: 'baseUpdateFailed', update: seq, failure }], runtime: { update: undefined } }
      : undefined,
  );
}

/** Moves the trees, and tells the log. When a reviewer decided meanwhile, the step is taken again. */
async function finish(
  dependencies: Dependencies,
  log: SessionLog,
  before: SessionState,
  { updating: { seq }, merged, report }: { updating: Updating; merged: OnBase; report: CheckpointResult },
): Promise<void> {
  const mirror = mirrorOf(dependencies, before);
  const { base, accepted, checkpoint, proposed } = merged;
  const counted = await countReview(mirror, { ...before, base }, { accepted, proposed, checkpoint });
  await dependencies.ownership.confirm();
  await updateRef(mirror, baseRef(base), base);
  await updateRef(mirror, ontoRef(before.id, seq), checkpoint);
  await updateRef(mirror, acceptedRef(before.id), accepted);
  await updateRef(mirror, proposedRef(before.id), proposed);
  await log.update(state => {
    const isCurrent =
      state.accepted === before.accepted &&
      state.proposed === before.proposed &&
      currentCheckpoint(state) === currentCheckpoint(before);
    if (state.updating?.seq !== seq || !isCurrent) {
      return undefined;
    }
    const notices = noticesOf(report).map((text): EventBody => ({
      type: 'noticeRaised',
      level: 'warning',
      text,
      hint: 'It stays in the sandbox as it is.',
    }));
    return {
      events: [...notices, { type: 'baseUpdated', update: seq, base, accepted, checkpoint, proposed, ...counted }],
      runtime: { update: undefined },
    };
  });
}
