import * as z from 'zod';

/** A part of `eventBodySchema`. */
export const importEvents = [
  z
    .object({
      type: z.literal('sessionImported'),
      from: z.object({ id: z.string(), folder: z.string(), turns: z.int().nonnegative() }),
      by: z.string(),
    })
    .describe('The turns that follow were the person’s own, on their machine: no checkpoint is of their work'),
] as const;
