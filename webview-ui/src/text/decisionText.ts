import type { ApprovalDecision } from '../../../protocol/events.ts';

/** A decision in the words of its button. */
export function decisionText(decision: ApprovalDecision): string {
  switch (decision.kind) {
    case 'allow':
      return decision.always === true ? 'Always allow in this session' : 'Allow';
    case 'deny':
      return decision.message === undefined ? 'Deny' : `Deny: ${decision.message}`;
    case 'answers':
      return Object.values(decision.answers).join('; ');
  }
}
