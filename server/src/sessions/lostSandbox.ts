import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { EventBody, Failure } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { NO_USAGE } from '../../../protocol/usage.ts';
import type { Dependencies } from './dependencies.ts';
import { MAX_RECOVERIES } from './recovery.ts';
import { sameOffer } from './offering.ts';
import type { Runtime } from './runtime.ts';
import type { Draft } from './changeBatch.ts';
import type { SessionLog } from './sessionLog.ts';
import { providerOf } from './workspace.ts';

/**
 * What it means that a session's sandbox no longer exists: its agent is gone, turns without a checkpoint are lost and their
 * messages are handed over again, in a sandbox that is made from the last checkpoint. Pure.
 */
export function lostSandbox(
  state: SessionState,
  runtime: Runtime,
  sandboxId: string,
  cause: string,
  now: number,
): Draft {
  const wanted = state.archived || state.phase.kind === 'stopping';
  const open = state.turns.find(turn => !turn.agent);
  const unsaved = state.turns.filter(turn => !turn.checkpoint);
  const failure: Failure = {
    code: 'sandbox_gone',
    message: cause,
    hint: 'The turn begins anew in a sandbox that is made from the last checkpoint.',
    retryable: true,
  };
  const events: EventBody[] = [];
  if (state.agent.running) {
    const { segment } = state.agent;
    events.push({ type: 'agentEnded', segment, exitCode: null, expected: true, cause });
  }
  if (open) {
    events.push({
      type: 'agentFinished',
      turn: open.number,
      outcome: wanted ? 'stopped' : 'failed',
      ...(wanted ? {} : { failure }),
      usage: runtime.turnUsage,
      durationMs: Math.max(0, now - open.startedAt),
    });
  }
  for (const turn of unsaved) {
    const outcome = turn.agent?.outcome ?? (wanted ? 'stopped' : 'failed');
    const checkpoint = currentCheckpoint(state);
    const offered = sameOffer(state);
    events.push({ type: 'turnFinished', turn: turn.number, outcome, checkpoint, changed: false, ...offered });
  }
  const [first] = unsaved;
  const again = first && !wanted ? { turn: first.number } : {};
  events.push({ type: 'sandboxLost', sandboxId, cause, lost: whatIsLost(state, first?.number), ...again });
  if (state.recoveries >= MAX_RECOVERIES && !wanted) {
    events.push({
      type: 'sessionBlocked',
      failure: { ...failure, hint: 'It was lost again and again. Look at what removes it, then Recover.' },
    });
  }
  return {
    events,
    runtime: {
      sandbox: undefined,
      cloned: false,
      starting: undefined,
      answerContexts: {},
      ...(open ? { turnUsage: NO_USAGE } : {}),
    },
  };
}

function whatIsLost(state: SessionState, firstLost: number | undefined): string {
  const saved = state.turns.findLast(turn => turn.checkpoint)?.number;
  const from = saved === undefined ? 'where the session started' : `the checkpoint of turn ${saved}`;
  return firstLost === undefined
    ? `It is made again from ${from}; files that git ignores are lost.`
    : `What turn ${firstLost} changed is lost; it begins anew from ${from}.`;
}

/** Tells the log that the sandbox is gone, and ends what is left of it. False when the session has none. */
export async function loseSandbox(dependencies: Dependencies, log: SessionLog, error: unknown): Promise<boolean> {
  const { sandbox } = log.runtime;
  if (!sandbox) {
    return false;
  }
  const { message } = toSandpiperError(error);
  dependencies.log.log('warn', 'session', message, { sessionId: log.state.id, sandboxId: sandbox.id });
  // What is left running in it must not meet the next one.
  await providerOf(dependencies, sandbox.provider).destroy(sandbox);
  await dependencies.gateway.close(log.state.id);
  await dependencies.egress.proxy.close(log.state.id);
  await log.update((state, runtime) =>
    runtime.sandbox?.id === sandbox.id ? lostSandbox(state, runtime, sandbox.id, message, Date.now()) : undefined,
  );
  return true;
}
