import type { SessionState } from '../../../protocol/session.ts';
import type { SandboxRef } from '../sandboxes/provider.ts';
import type { Dependencies } from './dependencies.ts';
import { decideNext, isAtRest } from './decisions.ts';
import type { Runtime } from './runtime.ts';
import { saveSandbox } from './savedSandbox.ts';
import type { SessionLog } from './sessionLog.ts';
import { providerOf } from './workspace.ts';

/*
 * Sandboxes that are not used take room: what is in one is saved, then it is removed, and the next message makes it again.
 * While this runs the session takes no step.
 */

/**
 * Saves and removes a session's sandbox, unless something is under way or comes meanwhile.
 * @param why in words, for the log of the session
 * @returns whether it is gone
 */
export async function letGoOfSandbox(dependencies: Dependencies, log: SessionLog, why: string): Promise<boolean> {
  const { sandbox } = log.runtime;
  if (!sandbox || !mayLetGo(log.state, log.runtime)) {
    return false;
  }
  const provider = providerOf(dependencies, sandbox.provider);
  const saved = await saveSandbox(dependencies, await provider.attach(sandbox), log.state);
  let isRecorded = false;
  await log.update((state, runtime) => {
    isRecorded = runtime.sandbox?.id === sandbox.id && mayLetGo(state, runtime);
    return isRecorded
      ? {
          events: [{ type: 'noticeRaised', level: 'info', text: noticeOf(state, why) }],
          runtime: { sandbox: undefined, cloned: false, sandboxSince: undefined, saved },
        }
      : undefined;
  });
  if (isRecorded) {
    await provider.destroy(sandbox);
  }
  return isRecorded;
}

/** Removes what a relay that was killed after it had saved a sandbox did not remove. @returns whether it is gone */
export async function removeLeftSandbox(
  dependencies: Dependencies,
  log: SessionLog,
  left: SandboxRef,
): Promise<boolean> {
  const { state, runtime } = log;
  if (runtime.sandbox || !runtime.saved || decideNext(state, runtime, false).kind !== 'wait') {
    return false;
  }
  await providerOf(dependencies, left.provider).destroy(left);
  return true;
}

function mayLetGo(state: SessionState, runtime: Runtime): boolean {
  return (
    runtime.cloned &&
    !state.agent.running &&
    runtime.starting === undefined &&
    runtime.deleting === undefined &&
    isAtRest(decideNext(state, runtime, false))
  );
}

function noticeOf(state: SessionState, why: string): string {
  const turn = state.turns.findLast(candidate => candidate.checkpoint)?.number;
  const from = turn === undefined ? 'as it was' : `from turn ${turn} and what was saved beside it`;
  return `The sandbox was let go of ${why}; the next message makes it again ${from}.`;
}
