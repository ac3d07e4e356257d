import * as z from 'zod';
import { withKey } from './callParts.ts';
import { permissionModeSchema } from './composing.ts';
import { sessionIdSchema } from './events.ts';
import { firstImagesSchema } from './images.ts';

const conversation = {
  id: z
    .string()
    .regex(/^[0-9a-f-]{36}$/)
    .describe('As the agent names it'),
};
const described = {
  ...conversation,
  title: z.string(),
  folder: z.string().describe('Where the person worked'),
  branch: z.string().optional(),
  updatedAt: z.number(),
  bytes: z.int(),
};

/** The calls about conversations that a person had with an agent outside of Sandpiper, a part of `calls`. */
export const importCalls = {
  'import.list': {
    summary: 'Conversations with Claude Code on the machine of the relay, newest first; they are only read',
    mutates: false,
    params: z.object({}),
    result: z.object({ conversations: z.array(z.object(described)) }),
    rest: { method: 'get', path: '/v1/imports' },
  },
  'import.preview': {
    summary: 'What was said in one of them',
    mutates: false,
    params: z.object(conversation),
    result: z.object({
      ...described,
      text: z.string().describe('Plain text, the last 200,000 characters'),
      turns: z.int(),
      skipped: z.int().describe('Lines that could not be read'),
    }),
    rest: { method: 'get', path: '/v1/imports/{id}' },
  },
  'import.start': {
    summary:
      'Begin a session that goes on with one of them: its repository is cloned into a sandbox, and the agent resumes a copy of the conversation',
    mutates: true,
    params: z.object({
      ...withKey,
      ...conversation,
      source: z.string().min(1).max(4096).optional().describe('Default: the folder of the conversation'),
      base: z.string().max(200).optional().describe('Default: the branch of the conversation, else HEAD'),
      includeUncommitted: z.boolean().default(false),
      prompt: z.string().min(1).max(1_000_000).optional(),
      images: firstImagesSchema,
      provider: z.string().default('local'),
      acceptNoIsolation: z.boolean().default(false),
      permissionMode: permissionModeSchema.default('ask'),
      budgetUsd: z.number().positive().optional(),
    }),
    result: z.object({ sessionId: sessionIdSchema, seq: z.int() }),
    rest: { method: 'post', path: '/v1/imports/{id}' },
  },
} as const;
