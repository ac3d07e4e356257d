import * as z from 'zod';
import { MAX_TAGS, TAG } from './tags.ts';

/* What a person marks a session with, so that they find it again: pins and tags. */

export const tagSchema = z
  .string()
  .regex(TAG)
  .describe('A word of letters, digits and . _ / - with at most 40 characters');

/** A part of `eventBodySchema`. */
export const labelEvents = [
  z.object({ type: z.literal('sessionPinned'), pinned: z.boolean(), by: z.string() }),
  z.object({
    type: z.literal('sessionTagged'),
    tags: z.array(tagSchema).max(MAX_TAGS).describe('All that the session now has, in the order of the alphabet'),
    by: z.string(),
  }),
] as const;
