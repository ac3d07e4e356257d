import * as z from 'zod';

/*
 * What the programs of a session may reach besides its model. Nothing, until somebody allows it; what they tried is said.
 */

export const networkRuleSchema = z
  .object({
    host: z.string().describe('Lower case; `*.example.com` stands for every name below it'),
    port: z.int().positive(),
    readOnly: z.literal(true).optional().describe('Reached as http:// through the proxy, which only lets reading pass'),
  })
  .meta({ id: 'NetworkRule' });
export type NetworkRule = z.infer<typeof networkRuleSchema>;

export const blockReasonSchema = z
  .enum(['notAllowed', 'readOnly', 'privateAddress', 'unknownHost', 'unreachable', 'quota'])
  .meta({ id: 'BlockReason' });
export type BlockReason = z.infer<typeof blockReasonSchema>;

const place = { host: z.string(), port: z.int() };

/** A part of the events of a session. */
export const networkEvents = [
  z.object({
    type: z.literal('networkAllowed'),
    rules: z.array(networkRuleSchema),
    scope: z.enum(['session', 'repository']).describe('`repository`: also for its later sessions'),
    by: z.string(),
  }),
  z.object({ type: z.literal('networkForbidden'), rules: z.array(networkRuleSchema), by: z.string() }),
  z
    .object({ type: z.literal('networkBlocked'), ...place, reason: blockReasonSchema })
    .describe('The first time in a session for this host, port and reason'),
  z.object({ type: z.literal('networkUsed'), ...place }).describe('The first time in a session for this host and port'),
] as const;

/** What a session knows of the network; absent before anything was allowed or tried. */
export interface Network {
  /** For this session alone, besides what the relay and the repository allow. */
  allowed: NetworkRule[];
  /** Oldest first, at most MAX_NETWORK_PLACES. */
  seen: NetworkPlace[];
}

export interface NetworkPlace {
  at: number;
  host: string;
  port: number;
  /** Absent: it was reached. */
  blocked?: BlockReason;
}

/** A program that tries more places than this is no longer followed one by one. */
export const MAX_NETWORK_PLACES = 200;
