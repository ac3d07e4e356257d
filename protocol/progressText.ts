import type { ReviewCounts } from './review.ts';
import { t } from './text.ts';

/** How far a review is, as every surface says it; undefined when there never was anything to review. */
export function progressText({ pending, reviewed }: Pick<ReviewCounts, 'pending' | 'reviewed'>): string | undefined {
  const total = pending + reviewed;
  return total === 0 ? undefined : t('{0} of {1} reviewed', reviewed, total);
}
