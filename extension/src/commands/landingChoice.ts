import type { CallResult } from '../../../protocol/calls.ts';
import type { ChangeStats } from '../../../protocol/events.ts';
import type { LandingTree } from '../../../protocol/landingCalls.ts';
import { count } from '../sessions/sessionGroups.ts';

export type LandingDescription = CallResult<'landing.describe'>;

export interface LandingChoice {
  from: LandingTree;
  label: string;
  description: string;
  detail: string;
}

/** Pure. What a person can choose to land, the default first; empty where there is no choice. */
export function landingChoices(described: LandingDescription): LandingChoice[] {
  const { accepted, all, pending, conflicts } = described;
  // Who accepted nothing did not mean to land nothing.
  if (described.default === 'all' || accepted.commit === all.commit || (pending === 0 && conflicts === 0)) {
    return [];
  }
  const undecided = undecidedText(described);
  const takeAccepted: LandingChoice = {
    from: 'accepted',
    label: '$(check) Accepted changes',
    description: lines(accepted.stats),
    detail: `Leaves out ${undecided}`,
  };
  const takeAll: LandingChoice = {
    from: 'all',
    label: '$(check-all) All changes',
    description: lines(all.stats),
    detail: `With ${undecided}`,
  };
  return [takeAccepted, takeAll];
}

/** Empty when everything is decided. */
export function undecidedText({
  pending,
  pendingFiles,
  conflicts,
}: Pick<LandingDescription, 'pending' | 'pendingFiles' | 'conflicts'>): string {
  return [
    ...(pending === 0 ? [] : [`${count(pending, 'change')} in ${count(pendingFiles, 'file')} not reviewed`]),
    ...(conflicts === 0 ? [] : [`${count(conflicts, 'conflict')} not decided`]),
  ].join(', ');
}

function lines({ files, insertions, deletions }: ChangeStats): string {
  return `${count(files, 'file')}, +${insertions} −${deletions}`;
}
