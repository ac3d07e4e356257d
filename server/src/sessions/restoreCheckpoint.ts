import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { EventBody, EventOf } from '../../../protocol/events.ts';
import type { Restoring, SessionState } from '../../../protocol/session.ts';
import type { Agent } from '../agents/agent.ts';
import { ontoRef, proposedRef, restoreRef, updateRef } from '../git/refs.ts';
import type { CheckpointResult } from '../git/sandboxScripts.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import { onPresentBase } from './baseMerge.ts';
import { conversationName } from './conversations.ts';
import type { Dependencies } from './dependencies.ts';
import { toFailure } from './failure.ts';
import { countReview, offerTurn } from './offering.ts';
import { placeFiles } from './placeFiles.ts';
import { planConversation, targetCommit, untouchedSince, type ConversationPlan } from './restoreDecisions.ts';
import { saveConversation } from './savedConversation.ts';
import type { SessionLog } from './sessionLog.ts';
import { commitWork, mirrorOf, noticesOf } from './workspace.ts';

/**
 * Goes back to a turn, as the log asks. No agent may run. First everything as it is now is saved and written down; until then
 * a failure leaves the session as it was. From then on it only goes forward: a relay that was killed takes the step again,
 * and what is done twice ends the same.
 */
export async function restoreCheckpoint(
  dependencies: Dependencies,
  log: SessionLog,
  agent: Agent,
  sandbox: Sandbox,
): Promise<void> {
  const { restoring } = log.state;
  if (!restoring) {
    return;
  }
  try {
    await saveConversation(dependencies, log, agent, sandbox);
    const conversation = restoring.conversation
      ? await placeConversation(dependencies, log, agent, sandbox)
      : undefined;
    const target = await targetOf(dependencies, log.state);
    const report = restoring.code ? await saveFiles(dependencies, log, sandbox, restoring) : undefined;
    if (report) {
      await placeFiles(dependencies, sandbox, log.state, target);
    }
    await finish(dependencies, log, restoring, { report, conversation, target });
  } catch (error) {
    await giveUp(log, restoring, error);
  }
}

/** @throws the same error, unless nothing has been changed yet: then the log says that nothing was restored */
async function giveUp(log: SessionLog, restoring: Restoring, error: unknown): Promise<void> {
  const failure = toSandpiperError(error);
  const isOnlyDelayed = ['sandbox_gone', 'stopped', 'fenced', 'unavailable'].includes(failure.code);
  if (isOnlyDelayed || log.runtime.restore?.seq === restoring.seq) {
    throw error;
  }
  await log.update(state =>
    state.restoring?.seq === restoring.seq
      ? { events: [{ type: 'restoreFailed', restore: restoring.seq, failure: toFailure(failure) }] }
      : undefined,
  );
}

/** What a restore brings back has what was merged in from the base since: without it that would be taken out again. */
async function targetOf(dependencies: Dependencies, state: SessionState): Promise<string> {
  const commit = targetCommit(state);
  return state.restoring?.code ? onPresentBase(mirrorOf(dependencies, state), state, commit) : commit;
}

/** The files as they are now become a commit; the first time that is where an undo goes back to. */
async function saveFiles(
  dependencies: Dependencies,
  log: SessionLog,
  sandbox: Sandbox,
  { seq }: Restoring,
): Promise<CheckpointResult> {
  const { state } = log;
  const again = log.runtime.restore?.seq === seq;
  const ref = restoreRef(state.id, seq, again);
  const message = `Before restore ${seq} of session ${state.id}\n`;
  const report = await commitWork(dependencies, sandbox, state, { ref, message });
  if (!again) {
    if (!report.bundle) {
      await updateRef(mirrorOf(dependencies, state), ref, report.commit);
    }
    await log.update(() => ({ events: [], runtime: { restore: { seq, saved: report.commit } } }));
  }
  return report;
}

/**
 * Puts the conversation that the plan asks for into the sandbox and into the relay's copies, beside the others.
 * @throws `not_found` when nobody has it any more
 */
async function placeConversation(
  dependencies: Dependencies,
  log: SessionLog,
  agent: Agent,
  sandbox: Sandbox,
): Promise<NonNullable<EventOf<'restoreFinished'>['conversation']>> {
  const plan = planConversation(log.state);
  const { id } = log.state;
  const pathOf = (conversationId: string) => agent.conversationFile?.({ ...sandbox.paths, conversationId });
  const source = plan.kind === 'keep' ? plan.id : plan.kind === 'cut' ? plan.from : undefined;
  if (plan.kind === 'begin') {
    return { id: plan.id };
  }
  const sourcePath = pathOf(source ?? log.runtime.conversationId);
  if (sourcePath === undefined) {
    throw new SandpiperError('invalid_params', `${agent.displayName} cannot go back in its conversation.`, {
      hint: 'Restore the code alone.',
    });
  }
  const name = conversationName(id, source);
  await dependencies.conversations.save(name, sandbox, sourcePath);
  const content = await dependencies.conversations.read(name);
  if (!content) {
    throw new SandpiperError('not_found', 'What the agent remembered of that turn is not there any more.', {
      hint: 'Restore the code alone, and tell the agent what it needs to know.',
    });
  }
  await putConversation(dependencies, { sandbox, agent, plan, content, sessionId: id, pathOf, sourcePath });
  return plan.id === undefined ? {} : { id: plan.id };
}

async function putConversation(
  { conversations }: Dependencies,
  spec: {
    sandbox: Sandbox;
    agent: Agent;
    plan: Exclude<ConversationPlan, { kind: 'begin' }>;
    content: Buffer;
    sessionId: string;
    sourcePath: string;
    pathOf(conversationId: string): string | undefined;
  },
): Promise<void> {
  const { sandbox, agent, plan, content, sessionId, sourcePath } = spec;
  if (plan.kind === 'keep') {
    // In a sandbox that was made again only the one that was in use is there.
    if ((await sandbox.readFrom(sourcePath, 0, 1)).missing) {
      await sandbox.writeFile(sourcePath, content, { mode: 0o600 });
    }
    return;
  }
  const cut = agent.cutConversation?.(content, plan.later, plan.id);
  const path = spec.pathOf(plan.id);
  if (!cut || path === undefined) {
    throw new SandpiperError('invalid_params', `${agent.displayName} cannot go back in its conversation.`, {
      hint: 'Restore the code alone.',
    });
  }
  await conversations.write(conversationName(sessionId, plan.id), cut);
  await sandbox.writeFile(path, cut, { mode: 0o600 });
}

/** Moves the proposed tree, and tells the log. When a reviewer decided meanwhile, the step is taken again. */
async function finish(
  dependencies: Dependencies,
  log: SessionLog,
  { seq }: Restoring,
  done: {
    report: CheckpointResult | undefined;
    conversation: EventOf<'restoreFinished'>['conversation'];
    target: string;
  },
): Promise<void> {
  const before = log.state;
  const saved = log.runtime.restore?.saved;
  const code =
    done.report && saved !== undefined
      ? { saved, ...(await offerRestored(dependencies, before, done.target)) }
      : undefined;
  await dependencies.ownership.confirm();
  await log.update(state => {
    const isCurrent = state.accepted === before.accepted && state.proposed === before.proposed;
    if (state.restoring?.seq !== seq || !isCurrent) {
      return undefined;
    }
    const notices = (done.report ? noticesOf(done.report) : []).map((text): EventBody => ({
      type: 'noticeRaised',
      level: 'warning',
      text,
      hint: 'It stays in the sandbox as it is.',
    }));
    return {
      events: [
        ...notices,
        {
          type: 'restoreFinished',
          restore: seq,
          ...(code ? { code } : {}),
          ...(done.conversation ? { conversation: done.conversation } : {}),
        },
      ],
      runtime: { restore: undefined },
    };
  });
}

/** As after a turn that ended with these files; an undo of what nobody has decided on since gives back the very same. */
async function offerRestored(
  dependencies: Dependencies,
  state: SessionState,
  checkpoint: string,
): Promise<Omit<NonNullable<EventOf<'restoreFinished'>['code']>, 'saved'>> {
  const mirror = mirrorOf(dependencies, state);
  if (checkpoint !== targetCommit(state)) {
    // Nothing else names it.
    await updateRef(mirror, ontoRef(state.id, state.restoring?.seq ?? 0), checkpoint);
  }
  const proposed = untouchedSince(state);
  if (proposed === undefined) {
    return { checkpoint, ...(await offerTurn(mirror, state, checkpoint)) };
  }
  const counted = await countReview(mirror, state, { accepted: state.accepted, proposed, checkpoint });
  await updateRef(mirror, proposedRef(state.id), proposed);
  return { checkpoint, ...(proposed === checkpoint ? {} : { proposed }), ...counted };
}
