import type { Activity } from '../../../protocol/session.ts';

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
      return 'The agent waits for your answer.';
    case 'ready':
      return 'The agent is done. Changes are ready to review.';
    case 'idle':
      return 'The agent is done.';
    case 'blocked':
      return `The session is blocked: ${now.label}`;
    case 'stuck':
      return 'The agent is stuck: it gives no sign of life.';
    case 'interrupted':
      return 'The turn was cut off. Recover goes on with it.';
    case 'thinking':
      return WORKING.has(before) ? undefined : 'The agent is working.';
    case 'retrying':
    case 'recovering':
    case 'restoring':
    case 'stopping':
    case 'archived':
      return now.label;
    case 'preparing':
    case 'tool':
    case 'checkpointing':
    case 'starting':
      return undefined;
  }
}

const WORKING: ReadonlySet<Activity['kind']> = new Set(['tool', 'waiting', 'retrying', 'thinking']);
