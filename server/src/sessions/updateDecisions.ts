import { SandpiperError } from '../../../protocol/errors.ts';
import type { PullRequest } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { whatToStop } from '../../../protocol/stopping.ts';
import type { Runtime } from './runtime.ts';

/* When a session may take what its base branch has since. Pure. */

/** @throws `not_found` without a pull request, `conflict` when it is over */
export function openPullOf({ pullRequest }: Pick<SessionState, 'pullRequest'>): PullRequest {
  if (!pullRequest) {
    throw new SandpiperError('not_found', 'This session has no pull request yet.', {
      hint: 'Create one with `sandpiper pr <session>`.',
    });
  }
  if (pullRequest.state !== 'open') {
    throw new SandpiperError('conflict', `Pull request #${pullRequest.number} is ${pullRequest.state}.`, {
      hint: 'There is nothing to update.',
    });
  }
  return pullRequest;
}

/** @throws `conflict` while the session does something else */
export function refuseBusy(state: SessionState, runtime: Pick<Runtime, 'deleting'>): void {
  const why = whyNotNow(state, runtime);
  if (why !== undefined) {
    throw new SandpiperError('conflict', why.message, { hint: why.hint });
  }
}

function whyNotNow(
  state: SessionState,
  { deleting }: Pick<Runtime, 'deleting'>,
): { message: string; hint: string } | undefined {
  const wait = 'Wait until it is done, then try again.';
  if (deleting) {
    return { message: 'This session is being deleted.', hint: wait };
  }
  if (state.archived) {
    return { message: 'This session is archived.', hint: 'Bring it back before you update it.' };
  }
  if (state.phase.kind === 'blocked' || state.interrupted) {
    return { message: 'The last turn of this session was cut off.', hint: 'Recover the session first.' };
  }
  if (state.restoring ?? state.updating ?? state.moving) {
    return { message: 'The files of this session are being exchanged.', hint: wait };
  }
  if (whatToStop(state) !== undefined || state.phase.kind !== 'idle' || state.recovering) {
    return { message: 'The agent is at work.', hint: 'Wait until its turn has ended, or stop it first.' };
  }
  return state.turns.some(turn => !turn.checkpoint)
    ? { message: 'The last turn is being saved as a checkpoint.', hint: wait }
    : undefined;
}
