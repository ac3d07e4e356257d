import { describeActivity, needsPerson, type Quiet } from './activity.ts';
import { asksOf } from './asking.ts';
import type { SessionState, SessionSummary } from './session.ts';
import { progressOf } from './specWork.ts';
import { undeliveredMessages } from './stopping.ts';

/** The row of a list, derived from the state alone (I1). */
export function summarize(state: SessionState, quiet?: Quiet): SessionSummary {
  const doing = describeActivity(state, quiet);
  return {
    id: state.id,
    seq: state.seq,
    title: state.title,
    archived: state.archived,
    ...(state.pinned ? { pinned: true } : {}),
    ...(state.tags ? { tags: state.tags } : {}),
    ...(state.rules ? { rules: state.rules } : {}),
    repository: state.repository,
    createdAt: state.createdAt,
    updatedAt: state.updatedAt,
    phase: state.phase.kind,
    activity: doing.label,
    doing,
    needsYou: state.approvals.length + (needsPerson(state) ? 1 : 0),
    ...(state.approvals.length > 0 ? { asking: asksOf(state.approvals) } : {}),
    stats: state.stats,
    pending: state.review.pending > 0,
    review: summarizeReview(state),
    queuedMessages: undeliveredMessages(state.items).length,
    agentRunning: state.agent.running,
    usage: state.usage,
    isolation: state.isolation,
    provider: state.provider,
    ...(state.spec ? { spec: progressOf(state.spec) } : {}),
    ...(state.pullRequest ? { pullRequest: state.pullRequest } : {}),
    ...(state.origin ? { origin: state.origin } : {}),
  };
}

function summarizeReview({ review, accepted, proposed }: SessionState): NonNullable<SessionSummary['review']> {
  const { pendingFiles, pending, reviewed, conflicts } = review;
  return { pendingFiles, pending, reviewed, conflicts: conflicts.length, accepted, proposed };
}
