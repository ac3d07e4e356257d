import type { Activity } from '../../../protocol/session.ts';
import { t, told } from '../../../protocol/text.ts';

/**
 * What a screen reader should hear when the activity changes, once. Tools come and go by the second and say nothing; the
 * stream itself is never live.
 */
export function announcementFor(before: Activity['kind'] | undefined, now: Activity): string | undefined {
  if (before === undefined || before === now.kind) {
    return undefined;
  }
  switch (now.kind) {
    case 'waiting':
      return t('The agent waits for your answer.');
    case 'ready':
      return t('The agent is done. Changes are ready to review.');
    case 'idle':
      return t('The agent is done.');
    case 'blocked':
      return t('The session is blocked: {0}', told(now.label));
    case 'stuck':
      return t('The agent is stuck: it gives no sign of life.');
    case 'interrupted':
      return t('The turn was cut off. Recover goes on with it.');
    case 'thinking':
      return WORKING.has(before) ? undefined : t('The agent is working.');
    case 'retrying':
    case 'recovering':
    case 'restoring':
    case 'moving':
    case 'stopping':
    case 'archived':
      return told(now.label);
    default:
      // preparing, tool, checking, checkpointing, starting
      return undefined;
  }
}

const WORKING: ReadonlySet<Activity['kind']> = new Set(['tool', 'waiting', 'retrying', 'thinking']);
