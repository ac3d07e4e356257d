import type { CallResult } from '../../../protocol/calls.ts';
import type { ChangeStats } from '../../../protocol/events.ts';
import type { LandingTree } from '../../../protocol/landingCalls.ts';
import { count, t } from '../../../protocol/text.ts';

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
    label: `$(check) ${t('Accepted changes')}`,
    description: lines(accepted.stats),
    detail: t('Leaves out {0}', undecided),
  };
  const takeAll: LandingChoice = {
    from: 'all',
    label: `$(check-all) ${t('All changes')}`,
    description: lines(all.stats),
    detail: t('With {0}', undecided),
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
    ...(pending === 0 ? [] : [t('{0} in {1} not reviewed', count(pending, 'change'), count(pendingFiles, 'file'))]),
    ...(conflicts === 0 ? [] : [t('{0} not decided', count(conflicts, 'conflict'))]),
  ].join(', ');
}

function lines({ files, insertions, deletions }: ChangeStats): string {
  return `${count(files, 'file')}, +${insertions} −${deletions}`;
}
