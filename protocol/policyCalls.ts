import * as z from 'zod';
import { ofSession, token } from './callParts.ts';
import { landingTreeSchema } from './landingCalls.ts';
import { policySourceSchema, policyViolationSchema } from './policy.ts';

const violations = z.array(policyViolationSchema);

/** The calls about what a repository lets land, a part of `calls`. */
export const policyCalls = {
  'policy.check': {
    summary: 'Whether the policy of the base branch would let a session’s work land; nothing is pushed',
    mutates: false,
    params: z.object({
      ...ofSession,
      from: landingTreeSchema.optional().describe('Default: what would land'),
      baseBranch: z.string().max(200).optional(),
      token: token.describe(
        'Forge token, to read the base branch as it is now. Without any the commit counts that the session was made on',
      ),
    }),
    result: z.object({
      source: policySourceSchema.optional().describe('Absent: the base declares no policy, so nothing is refused'),
      from: landingTreeSchema,
      violations: violations.describe('Empty: it may land'),
    }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/policy' },
  },
  'policy.validate': {
    summary: 'What is wrong with the text of a policy, with lines',
    mutates: false,
    params: z.object({ text: z.string().max(200_000) }),
    result: z.object({ violations: violations.describe('Empty: it is well formed') }),
    rest: { method: 'post', path: '/v1/policy' },
  },
} as const;
