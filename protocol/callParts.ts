import * as z from 'zod';
import { sessionIdSchema } from './events.ts';
import { objectIdSchema } from './review.ts';
import type { SessionState, SessionSummary } from './session.ts';
import { TREE_NAME } from './trees.ts';

/* What the schemas of many calls are made of. */

const path = z.string().min(1).max(4096);
const key = z.string().min(8).max(100).describe('Idempotency key made by the client (I3)');

/** The reducer makes these shapes; they are described for documents and trusted inside. */
export const sessionStateSchema = z
  .custom<SessionState>(value => typeof value === 'object' && value !== null)
  .meta({ id: 'SessionState', type: 'object' });
export const sessionSummarySchema = z
  .custom<SessionSummary>(value => typeof value === 'object' && value !== null)
  .meta({ id: 'SessionSummary', type: 'object' });

export const withKey = { key };
export const ofSession = { sessionId: sessionIdSchema };
export const empty = z.object({});
export const token = z.string().min(1).max(4000).optional();

export const treeNameSchema = z.string().regex(TREE_NAME).meta({
  id: 'TreeName',
  description:
    '`base`, `accepted`, `proposed`, `turn:3` (0: where the session started), `branch:main` of the repository as it is now, or `commit:` and a full id',
});
/** For a comparison with another session. */
export const toSession = {
  toSessionId: sessionIdSchema
    .optional()
    .describe('The session that `to` is a tree of, when it is another one of the same repository'),
};

export const fileChangeSchema = z
  .object({
    path,
    oldPath: path.optional().describe('Before a rename'),
    status: z.enum(['added', 'modified', 'deleted', 'renamed', 'typeChanged']),
    binary: z.boolean(),
    insertions: z.int().nonnegative(),
    deletions: z.int().nonnegative(),
    mode: z.string(),
    oldMode: z.string(),
    blob: objectIdSchema.optional().describe('The content after; absent where there is no file'),
    oldBlob: objectIdSchema.optional().describe('The content before; absent where there was no file'),
    sensitive: z.string().optional().describe('Why this file is never accepted in bulk'),
  })
  .meta({ id: 'FileChange' });
export type FileChange = z.infer<typeof fileChangeSchema>;
