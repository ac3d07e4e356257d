import * as z from 'zod';
import { ofSession, treeNameSchema } from './callParts.ts';
import { commitSchema } from './events.ts';

/** The calls that look into a tree without comparing it; part of the table in calls.ts. */
export const treeCalls = {
  'changes.folder': {
    summary: 'What a folder holds in one tree',
    mutates: false,
    params: z.object({ ...ofSession, tree: treeNameSchema, path: z.string().max(4096).default('') }),
    result: z.object({
      commit: commitSchema.describe('The tree’s commit: `commit:` and this id names it for good'),
      exists: z.boolean(),
      entries: z.array(
        z.object({
          name: z.string(),
          kind: z.enum(['file', 'folder', 'link', 'submodule']),
          bytes: z.int().nonnegative(),
        }),
      ),
    }),
    rest: { method: 'get', path: '/v1/sessions/{sessionId}/folder' },
  },
  'changes.findPaths': {
    summary: 'Paths of one tree that a person who typed a few characters may mean, the best first',
    mutates: false,
    params: z.object({
      ...ofSession,
      tree: treeNameSchema.default('proposed'),
      query: z.string().max(200).default(''),
      limit: z.int().min(1).max(100).default(20),
    }),
    result: z.object({ paths: z.array(z.string()), total: z.int().nonnegative().describe('Paths in the tree') }),
    rest: { method: 'get', path: '/v1/sessions/{sessionId}/paths' },
  },
} as const;
