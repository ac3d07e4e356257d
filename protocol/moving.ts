import * as z from 'zod';
import { failureSchema, isolationSchema } from './eventParts.ts';
import type { Isolation } from './eventParts.ts';

/* A session that goes from one sandbox provider to another, with all that is in its sandbox. */

/** A part of `eventBodySchema`. */
export const moveEvents = [
  z
    .object({
      type: z.literal('moveStarted'),
      provider: z.string().describe('Where to'),
      isolation: isolationSchema.describe('What that provider gives'),
      by: z.string(),
    })
    .describe('The session is where it was until `sessionMoved`'),
  z
    .object({
      type: z.literal('sessionMoved'),
      move: z.int().positive().describe('The seq of its start'),
      from: z.string(),
      to: z.string(),
    })
    .describe('Comes with the `sandboxReady` of the new sandbox; the one before it is removed'),
  z
    .object({ type: z.literal('moveFailed'), move: z.int().positive(), failure: failureSchema })
    .describe('The session is where it was'),
] as const;

/** A move that is under way. */
export interface Moving {
  /** Its name. */
  seq: number;
  since: number;
  provider: string;
  isolation: Isolation;
  by: string;
}
