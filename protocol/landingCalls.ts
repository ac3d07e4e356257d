import * as z from 'zod';
import { ofSession, token, withKey } from './callParts.ts';
import { changeStatsSchema, commitSchema, messageIdSchema, pullRequestSchema } from './events.ts';

/** Which tree lands: what the human has taken, or all that is on offer. */
export const landingTreeSchema = z.enum(['accepted', 'all']).meta({ id: 'LandingTree' });
export type LandingTree = z.infer<typeof landingTreeSchema>;

export const pullRequestDeedSchema = z.enum(['fixChecks', 'addressReview']).meta({ id: 'PullRequestDeed' });
export type PullRequestDeed = z.infer<typeof pullRequestDeedSchema>;

const from = {
  from: landingTreeSchema.optional().describe('Default: `accepted` when something was accepted, else `all`'),
};
const exported = {
  id: z.string().describe('Names the file for `landing.read`, for an hour'),
  bytes: z.int().nonnegative(),
  sha256: z.string().describe('Of the whole file, in hex'),
};
const tree = z.object({ commit: commitSchema, stats: changeStatsSchema });

/** The calls that bring a session's work to where it is wanted, a part of `calls`. */
export const landingCalls = {
  'landing.describe': {
    summary: 'What could land: the accepted changes or all of them, with counts, and what is undecided',
    mutates: false,
    params: z.object(ofSession),
    result: z.object({
      default: landingTreeSchema,
      accepted: tree.describe('Equal to `base` while nothing is accepted'),
      all: tree,
      base: commitSchema.describe('What the session started from'),
      upstream: commitSchema.describe(
        'The commit of the repository below that: another one when uncommitted work was included',
      ),
      pending: z.int().nonnegative().describe('Undecided changes'),
      pendingFiles: z.int().nonnegative(),
      conflicts: z.int().nonnegative().describe('Files with an undecided conflict between reviewer and agent'),
    }),
    rest: { method: 'get', path: '/v1/sessions/{sessionId}/landing' },
  },
  'pullRequest.open': {
    summary: 'Push the branch and open, find or update its pull request',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      title: z.string().max(250).optional(),
      body: z.string().max(60_000).optional(),
      branch: z.string().max(200).optional(),
      baseBranch: z.string().max(200).optional(),
      withTheirs: z
        .boolean()
        .default(false)
        .describe('Add to what others pushed to the branch; without it that is a `conflict` that names another branch'),
      draft: z.boolean().default(true),
      issue: z.int().positive().optional().describe('Number of the issue that this closes'),
      ...from,
      blockWhilePending: z.boolean().optional().describe('Refuse with `review_pending` while changes are undecided'),
      token: token.describe('Forge token, used for this call and never stored'),
    }),
    result: z.object({
      pullRequest: pullRequestSchema,
      created: z.boolean(),
      seq: z.int(),
      // An answer that an older relay recorded has neither.
      from: landingTreeSchema.optional().describe('What was landed'),
      pending: z.int().nonnegative().optional().describe('Changes of the session that nobody decided on'),
    }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/pull-request' },
  },
  'pullRequest.look': {
    summary: 'Look at the pull request on its forge now, and keep what is new in the session',
    mutates: false,
    params: z.object({ ...ofSession, token: token.describe('Forge token, used for this call and never stored') }),
    result: z.object({ pullRequest: pullRequestSchema }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/pull-request/look' },
  },
  'pullRequest.tend': {
    summary:
      'Have the agent repair the failed checks of the pull request, or address what its reviews ask for, in a turn',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      deed: pullRequestDeedSchema,
      token: token.describe('Forge token, used for this call and never stored'),
    }),
    result: z.object({ messageId: messageIdSchema, seq: z.int() }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/pull-request/deeds' },
  },
  'pullRequest.updateFromBase': {
    summary: 'Merge what the base branch of the pull request has since into the session and the pull request',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      token: token.describe('Forge token, used for this call and never stored'),
    }),
    result: z.object({
      updated: z.boolean().describe('False: session and pull request had it already'),
      base: commitSchema.describe('What the base branch is at'),
      pullRequest: pullRequestSchema,
      seq: z.int(),
    }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/pull-request/base' },
  },
  'landing.bundle': {
    summary: 'Make a git bundle of what could land, for whoever has the repository; read it with `landing.read`',
    mutates: false,
    params: z.object({
      ...ofSession,
      ...from,
      have: z.array(commitSchema).max(64).default([]).describe('Commits that need not be in it'),
    }),
    result: z.object({
      from: landingTreeSchema,
      base: commitSchema.describe('`refs/sandpiper/base` of the bundle: what the change was made on'),
      commit: commitSchema.describe('`refs/sandpiper/landing` of the bundle: one commit with the files that land'),
      branch: z.string().describe('Where the commit is or would be pushed'),
      title: z.string(),
      sensitive: z
        .array(z.object({ path: z.string(), oldPath: z.string().optional(), reason: z.string() }))
        .describe('Files in it that can run code on a developer’s machine and that nobody accepted'),
      ...exported,
    }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/bundle' },
  },
  'landing.patch': {
    summary: 'Make a patch for `git apply` of what could land, binary files included; read it with `landing.read`',
    mutates: false,
    params: z.object({ ...ofSession, ...from }),
    result: z.object({ from: landingTreeSchema, base: commitSchema, ...exported }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/patch' },
  },
  'landing.read': {
    summary: 'A part of a bundle or a patch',
    mutates: false,
    params: z.object({
      ...ofSession,
      id: z.string().max(100),
      offset: z.int().nonnegative().default(0),
      maxBytes: z.int().positive().max(2_000_000).default(1_000_000),
    }),
    result: z.object({ content: z.string().describe('base64'), bytes: z.int().nonnegative().describe('Of the whole') }),
    rest: { method: 'get', path: '/v1/sessions/{sessionId}/exports/{id}' },
  },
} as const;
