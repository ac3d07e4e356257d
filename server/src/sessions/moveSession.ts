import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { EventBody } from '../../../protocol/events.ts';
import type { Moving } from '../../../protocol/moving.ts';
import { providerName } from '../../../protocol/providerName.ts';
import { networkOf } from '../../../protocol/networkReducer.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { Agent } from '../agents/agent.ts';
import type { SavedSandbox } from '../archives/manifest.ts';
import { autopilotNeedsIsolation } from '../core/autopilot.ts';
import { explainDiskFull } from '../core/diskSpace.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import type { Dependencies } from './dependencies.ts';
import { stoppedEarly, toFailure } from './failure.ts';
import { leftAfterMove } from './moveDecisions.ts';
import { openSessionMirror } from './preparation.ts';
import { removeSandboxes } from './removeSandboxes.ts';
import { conversationIn, copyOf, restoreConversation } from './savedConversation.ts';
import { saveSandbox, unpackSandbox } from './savedSandbox.ts';
import { bringCommits } from './sandboxMirror.ts';
import type { SessionLog } from './sessionLog.ts';
import { cloneInto, createSandbox, providerOf } from './workspace.ts';

/*
 * Moving a session: what is in its sandbox is saved, another one is made like it at the other provider, and one commit of
 * the log switches over. Until then the session is where it was, and whatever stands at the other provider is in
 * `runtime.left`; from then on the old sandbox is. A relay that was killed takes the step again from its beginning.
 */

/**
 * Takes the session where `state.moving` says; no agent may run. A failure is told in the log.
 * @returns the sandbox that the session is in now; undefined when it stayed
 * @throws `sandbox_gone` when the one that it leaves no longer exists, `stopped`, `fenced`
 */
export async function moveSession(
  dependencies: Dependencies,
  log: SessionLog,
  agent: Agent,
): Promise<Sandbox | undefined> {
  const { moving } = log.state;
  if (!moving) {
    return undefined;
  }
  let isSaved = false;
  try {
    const saved = await saveAll(dependencies, log, agent);
    isSaved = true;
    const { sandbox, notices } = await makeLike(dependencies, log, moving, saved);
    await dependencies.ownership.confirm();
    await switchOver(log, moving, sandbox, notices);
    return sandbox;
  } catch (error) {
    const { code } = toSandpiperError(error);
    // That the new one is gone says nothing of the old one.
    if (code === 'stopped' || code === 'fenced' || (code === 'sandbox_gone' && !isSaved)) {
      throw error;
    }
    await giveUp(dependencies, log, moving, error);
    return undefined;
  }
}

/**
 * An agent that ends for a move is let go of in the log first: the move may be stopped before its end is there.
 * @returns false when the move was given up meanwhile: the agent stays
 */
export async function letAgentGo(log: SessionLog, segment: number): Promise<boolean> {
  if (!log.state.moving) {
    return true;
  }
  let may = false;
  await log.update(state => {
    may = state.moving !== undefined;
    return may ? { events: [], runtime: { releasing: segment, releaseReason: 'for the move' } } : undefined;
  });
  return may;
}

/** Undefined: there is nothing but the last checkpoint. */
async function saveAll(dependencies: Dependencies, log: SessionLog, agent: Agent): Promise<SavedSandbox | undefined> {
  const { sandbox: ref, cloned, saved } = log.runtime;
  if (!ref || !cloned) {
    return saved;
  }
  const sandbox = await providerOf(dependencies, ref.provider).attach(ref);
  const path = conversationIn(log, sandbox, agent);
  if (path !== undefined) {
    await dependencies.conversations.save(copyOf(log.state), sandbox, path);
  }
  return saveSandbox(dependencies, sandbox, log.state);
}

/** What an earlier attempt left at the provider goes first: a sandbox of the same key would be taken for the new one. */
async function makeLike(
  dependencies: Dependencies,
  log: SessionLog,
  { provider, isolation }: Moving,
  saved: SavedSandbox | undefined,
): Promise<{ sandbox: Sandbox; notices: EventBody[] }> {
  const { state } = log;
  await removeSandboxes(dependencies, state.id, { provider });
  const mirror = await openSessionMirror(dependencies, log);
  const found = await dependencies.findAgent(state.agent.id);
  const place = { ...state, provider, isolation };
  const sandbox = await createSandbox(dependencies, place, { acceptNoIsolation: isolation === 'none', found });
  const commit = saved?.commit ?? currentCheckpoint(state);
  await cloneInto(dependencies, sandbox, state, { commit, parcel: undefined, found });
  if (saved) {
    // The clone that is unpacked may stand on the commit of any turn.
    await bringCommits(sandbox, mirror, commitsOf(state), [commit]);
    await unpackSandbox(dependencies, sandbox, state, saved);
  }
  // A session that comes back brings what its agent remembered when it left, at the path of this provider.
  const lost = await restoreConversation(dependencies, log, sandbox, { replace: true });
  return { sandbox, notices: [...lost, ...networkNotice(log, sandbox)] };
}

function commitsOf({ turns, restores = [], base }: SessionState): string[] {
  const commits = [...turns.map(({ checkpoint }) => checkpoint?.commit), ...restores.map(({ saved }) => saved)];
  return [...new Set([base, ...commits.filter(commit => commit !== undefined)])];
}

function networkNotice({ state }: SessionLog, { modelSocket, isolation, ref }: Sandbox): EventBody[] {
  const isProxied = modelSocket && isolation !== 'none';
  return isProxied || networkOf(state).allowed.length === 0
    ? []
    : [
        {
          type: 'noticeRaised',
          level: 'warning',
          text: `What this session reaches is not limited by its rules on ${providerName(ref.provider)}: the provider decides.`,
        },
      ];
}

async function switchOver(log: SessionLog, moving: Moving, sandbox: Sandbox, notices: EventBody[]): Promise<void> {
  const { ref, isolation } = sandbox;
  await log.update((state, runtime) => {
    if (state.moving?.seq !== moving.seq) {
      throw stoppedEarly();
    }
    if (isolation === 'none' && state.permissionMode === 'autopilot') {
      throw autopilotNeedsIsolation();
    }
    return {
      events: [
        { type: 'sandboxReady', provider: ref.provider, isolation, sandboxId: ref.id },
        { type: 'sessionMoved', move: moving.seq, from: state.provider, to: ref.provider },
        ...notices,
      ],
      runtime: {
        sandbox: ref,
        sandboxSince: Date.now(),
        cloned: true,
        saved: undefined,
        remade: true,
        starting: undefined,
        // Consent was given for one place.
        acceptNoIsolation: isolation === 'none',
        left: leftAfterMove(runtime, state.provider, ref),
      },
    };
  });
}

async function giveUp(dependencies: Dependencies, log: SessionLog, moving: Moving, error: unknown): Promise<void> {
  const failure = toFailure(toSandpiperError(explainDiskFull(error)));
  const fields = { sessionId: log.state.id, provider: moving.provider, code: failure.code };
  dependencies.log.log('warn', 'session', `A session was not moved: ${failure.message}`, fields);
  await log.update(state => {
    const still = `The session is still on ${providerName(state.provider)}.`;
    const hint = failure.hint === undefined ? still : `${failure.hint} ${still}`;
    return state.moving?.seq === moving.seq
      ? { events: [{ type: 'moveFailed', move: moving.seq, failure: { ...failure, hint } }] }
      : undefined;
  });
}
