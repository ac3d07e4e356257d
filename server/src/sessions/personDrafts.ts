import { SandpiperError } from '../../../protocol/errors.ts';
import type { ApprovalDecision } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { isSpecQuestion } from '../../../protocol/specWork.ts';
import type { whatToStop } from '../../../protocol/stopping.ts';
import type { Agent } from '../agents/agent.ts';
import type { RuleScope } from '../../../protocol/permissionRules.ts';
import { STOPPED_EARLY, STOPPED_MOVE } from './agentEnd.ts';
import type { Draft } from './changeBatch.ts';
import { sessionRules } from './permissionRules.ts';
import type { Runtime } from './runtime.ts';
import { stopSpec } from './specDecisions.ts';

/* What a person's calls change. Pure. */

/** @throws `conflict` when the session is archived */
export function queueMessage(state: SessionState, message: { messageId: string; text: string; by: string }): Draft {
  if (state.archived) {
    throw new SandpiperError('conflict', 'This session is archived.', {
      hint: 'Bring it back before you send a message.',
    });
  }
  return {
    events: [
      { type: 'messageQueued', ...message },
      ...(state.phase.kind === 'blocked' ? [{ type: 'sessionResumed', by: message.by } as const] : []),
    ],
  };
}

/** @throws `conflict` when the approval was answered already or does not exist */
export function answerApproval(
  agent: Agent,
  state: SessionState,
  runtime: Runtime,
  answer: { approvalId: string; decision: ApprovalDecision; by: string; via: string },
): Draft {
  const { approvalId, decision } = answer;
  if (isSpecQuestion(approvalId) && state.approvals.some(open => open.id === approvalId)) {
    return { events: [{ type: 'approvalAnswered', ...answer }] };
  }
  const context = runtime.answerContexts[approvalId];
  const approval = state.approvals.find(open => open.id === approvalId);
  if (context === undefined || !approval) {
    throw new SandpiperError('conflict', 'This question was answered already, or the turn that asked it has ended.', {
      hint: 'Look at the session for what was decided.',
    });
  }
  const { [approvalId]: _answered, ...answerContexts } = runtime.answerContexts;
  return {
    events: [
      { type: 'approvalAnswered', ...answer },
      ...(keepsIn(decision) === 'session' ? sessionRules(state, approval.rules ?? []).events : []),
    ],
    inputs: [agent.encodeAnswer(approvalId, context, decision)],
    runtime: { answerContexts },
  };
}

/** Where an answer holds from now on; undefined when it holds once. */
export function keepsIn(decision: ApprovalDecision): RuleScope | undefined {
  return decision.kind === 'allow' && decision.always === true ? (decision.scope ?? 'session') : undefined;
}

/** @param what as whatToStop() in protocol/stopping.ts says */
export function stopTurn(agent: Agent, state: SessionState, what: ReturnType<typeof whatToStop>, by: string): Draft {
  const request = { type: 'stopRequested', by } as const;
  if (what === 'start') {
    return { events: [request, { type: 'sessionBlocked', failure: STOPPED_EARLY }] };
  }
  if (what === 'spec') {
    return { events: stopSpec(state) };
  }
  if (what === 'move' && state.moving) {
    return { events: [{ type: 'moveFailed', move: state.moving.seq, failure: STOPPED_MOVE }] };
  }
  return what === 'turn' && state.phase.kind !== 'stopping'
    ? {
        events: [request],
        inputs: [agent.encodeInterrupt(`stop-${state.seq}`)],
        runtime: { stopping: state.agent.segment },
      }
    : { events: [] };
}

/** @throws `conflict` when the session is being deleted */
export function archiveDraft(state: SessionState, runtime: Runtime, archived: boolean): Draft {
  if (runtime.deleting) {
    throw new SandpiperError('conflict', 'This session is being deleted.', {
      hint: 'Wait until it is done, then restore it.',
    });
  }
  return { events: state.archived === archived ? [] : [{ type: 'sessionArchived', archived }] };
}
