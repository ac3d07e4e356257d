import * as z from 'zod';
import { withKey } from './callParts.ts';
import { failureSchema } from './events.ts';

const hostSchema = z
  .string()
  .max(260)
  .regex(/^[a-z0-9.-]+(:\d+)?$/i)
  .default('github.com')
  .describe('A GitHub that the relay knows');

const accountSchema = z
  .object({
    host: z.string(),
    login: z.string().optional().describe('Absent when GitHub could not be asked at the sign-in'),
    at: z.number().describe('When they signed in'),
    expiresAt: z.number().optional().describe('When the token ends; absent for one that does not'),
    renewable: z.boolean().describe('The relay has GitHub make another token by itself'),
  })
  .meta({ id: 'ForgeAccount' });
export type ForgeAccount = z.infer<typeof accountSchema>;

/** The calls about who is signed in to a forge, a part of `calls`. */
export const signInCalls = {
  'forge.signIn': {
    summary:
      'Begin to sign the relay in to a GitHub by the OAuth device flow: a person enters the code at the address. What was ' +
      'begun before for the same host is given up',
    mutates: false,
    params: z.object({
      host: hostSchema,
      clientId: z
        .string()
        .regex(/^[\w.-]{1,100}$/)
        .optional()
        .describe('Of a GitHub App or an OAuth App; default: SANDPIPER_GITHUB_CLIENT_ID of the relay'),
    }),
    result: z.object({
      id: z.string(),
      host: z.string(),
      userCode: z.string(),
      verificationUri: z.string(),
      expiresAt: z.number(),
    }),
    rest: { method: 'post', path: '/v1/forge/sign-ins' },
  },
  'forge.signInState': {
    summary:
      'How a sign-in stands. One that the relay does not know was begun with a relay that has ended: begin again',
    mutates: false,
    params: z.object({ id: z.string().max(100) }),
    result: z.discriminatedUnion('state', [
      z.object({ state: z.literal('waiting') }),
      z.object({ state: z.literal('signedIn'), account: accountSchema }),
      z.object({ state: z.literal('failed'), failure: failureSchema }),
    ]),
    rest: { method: 'get', path: '/v1/forge/sign-ins/{id}' },
  },
  'forge.signOut': {
    summary: 'Forget the token of a sign-in. On GitHub the authorization stays until a person takes it back there',
    mutates: true,
    params: z.object({ ...withKey, host: hostSchema }),
    result: z.object({ signedOut: z.boolean().describe('false when nobody was signed in') }),
    rest: { method: 'post', path: '/v1/forge/sign-out' },
  },
  'forge.accounts': {
    summary: 'Who is signed in, and where. No token is told',
    mutates: false,
    params: z.object({}),
    result: z.object({ accounts: z.array(accountSchema) }),
    rest: { method: 'get', path: '/v1/forge/accounts' },
  },
} as const;
