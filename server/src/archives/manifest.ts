import { createHash } from 'node:crypto';
import { z } from 'zod';
import { commitSchema, sessionIdSchema } from '../../../protocol/events.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { damaged, partSchema, type Part } from './partStore.ts';

/** What was in a sandbox, so that another one can be made like it. */
export const savedSandboxSchema = z.object({
  /** The files that git would take, as a commit in the mirror; absent when everything is in `work`. */
  commit: commitSchema.optional(),
  /** tar.gz of the clone's .git and of the files that are not in the commit, or of the whole workspace. */
  work: partSchema,
  /** tar.gz of the agent's home: its conversation. */
  home: partSchema,
});
export type SavedSandbox = z.infer<typeof savedSandboxSchema>;

const summarySchema = z.custom<SessionSummary>(
  value => typeof value === 'object' && value !== null && 'id' in value && 'title' in value,
);

/** All that is needed to bring a deleted session back. Written last: without it there is no archive. */
export const manifestSchema = z.object({
  version: z.literal(1),
  /** Of the deletion that made it. */
  deletionId: z.string(),
  sessionId: sessionIdSchema,
  deletedAt: z.number(),
  expiresAt: z.number(),
  /** Whether the session was in the archive of sessions before it was deleted. */
  wasArchived: z.boolean(),
  summary: summarySchema,
  lastSeq: z.int().positive(),
  /** JSON of the session's row. */
  runtime: z.string(),
  journal: z.object({ segment: z.int(), offset: z.int(), decoder: z.string() }).optional(),
  repository: z.object({
    id: z.string(),
    source: z.string(),
    /** The commit that the bundle builds on; it is in the user's own repository. */
    upstream: commitSchema,
    base: commitSchema,
    includesUncommitted: z.boolean(),
  }),
  refs: z.array(z.object({ name: z.string(), commit: commitSchema })),
  /** gzip of JSON lines, one event each. */
  events: partSchema,
  /** Commits that only the mirror has; absent when there are none. */
  bundle: partSchema.optional(),
  sandbox: savedSandboxSchema.optional(),
  /** Payloads that the events name; they stay in the blob store. */
  blobs: z.array(z.string()),
  /** What could not be saved, in words. */
  missing: z.array(z.string()),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** The parts that an archive needs. */
export function partsOf({ events, bundle, sandbox }: Pick<Manifest, 'events' | 'bundle' | 'sandbox'>): Part[] {
  return [events, ...(bundle ? [bundle] : []), ...(sandbox ? [sandbox.work, sandbox.home] : [])];
}

/** As it is stored: with a checksum of itself. */
export function encodeManifest(manifest: Manifest): string {
  const text = JSON.stringify(manifest);
  return `${JSON.stringify({ sha256: sha256(text) })}\n${text}\n`;
}

/** @throws `internal` when it is not what was written */
export function decodeManifest(stored: string): Manifest {
  const [head = '', text = ''] = stored.split('\n');
  if (head !== JSON.stringify({ sha256: sha256(text) })) {
    throw damaged('its manifest does not have its checksum');
  }
  const parsed = manifestSchema.safeParse(JSON.parse(text));
  if (!parsed.success) {
    throw damaged(`its manifest cannot be read (${parsed.error.issues[0]?.message ?? 'unknown form'})`);
  }
  return parsed.data;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
