import type { ApprovalDecision } from '../../../protocol/events.ts';
import { t } from '../../../protocol/text.ts';

/** A decision in the words of its button. */
export function decisionText(decision: ApprovalDecision): string {
  switch (decision.kind) {
    case 'allow':
      return decision.always === true ? t('Always allow in this session') : t('Allow');
    case 'deny':
      return decision.message === undefined ? t('Deny') : t('Deny: {0}', decision.message);
    case 'answers':
      return Object.values(decision.answers).join('; ');
  }
}
