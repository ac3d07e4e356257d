import * as z from 'zod';
import { t } from './text.ts';

/** What on a forge a session or a message came from, when nobody wrote it here. */
export const originSchema = z
  .object({
    forge: z.string().max(50),
    kind: z.enum(['issue', 'comment', 'review', 'checks']),
    number: z.int().positive().describe('Of the issue or pull request'),
    url: z.url({ protocol: /^https?$/ }).max(2000),
    by: z.string().max(100).describe('Who asked for it there'),
  })
  .meta({ id: 'Origin' });
export type Origin = z.infer<typeof originSchema>;

/** One line for a list, a tooltip, a terminal: `issue #12 by alice`. */
export function originText({ kind, number, by }: Origin): string {
  switch (kind) {
    case 'issue':
      return t('issue #{0} by {1}', number, by);
    case 'comment':
      return t('comment on #{0} by {1}', number, by);
    case 'review':
      return t('review of #{0} by {1}', number, by);
    case 'checks':
      return t('failed checks of #{0}', number);
  }
}
