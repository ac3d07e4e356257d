import type { LandingTree } from '../../../protocol/landingCalls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';

/** The tree that lands, as the name the person chose it by and the commit that has it. */
export interface ChosenTree {
  from: LandingTree;
  commit: string;
}

type Reviewed = Pick<SessionState, 'accepted' | 'proposed' | 'review'>;

/**
 * Pure. Who accepted something means that to land; where nothing was accepted, there was no such choice.
 * @param hasAccepted whether the accepted tree differs from the session's base
 * @throws `nothing_to_land` when the accepted changes are asked for and there are none
 */
export function chooseTree(state: Reviewed, hasAccepted: boolean, asked: LandingTree | undefined): ChosenTree {
  const from = asked ?? (hasAccepted ? 'accepted' : 'all');
  if (from === 'accepted' && !hasAccepted) {
    throw new SandpiperError('nothing_to_land', 'Nothing of this session is accepted yet.', {
      hint: 'Accept what should land, or land all changes.',
    });
  }
  return { from, commit: from === 'accepted' ? state.accepted : state.proposed };
}

/** @throws `review_pending` with the counts and the ways out */
export function refuseUndecided({ review }: Reviewed): void {
  const { pending, pendingFiles, conflicts } = review;
  const open = [
    ...(pending === 0 ? [] : [`${counted(pending, 'change')} in ${counted(pendingFiles, 'file')} not reviewed yet`]),
    ...(conflicts.length === 0 ? [] : [`${counted(conflicts.length, 'conflict')} not decided`]),
  ];
  if (open.length > 0) {
    throw new SandpiperError(
      'review_pending',
      `There ${pending + conflicts.length === 1 ? 'is' : 'are'} ${open.join(' and ')}.`,
      {
        hint: 'Accept or reject what is left, or allow landing before the review is finished.',
        details: { pending, pendingFiles, conflicts: conflicts.length },
      },
    );
  }
}

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
