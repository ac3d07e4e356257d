import * as z from 'zod';

/* Schemas that events of several parts are made of. */

export const commitSchema = z
  .string()
  .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/)
  .meta({ id: 'Commit', description: 'A full git object id' });

/** A large payload that stands outside the log: fetch it with `blob.read` or GET /v1/sessions/{sessionId}/blobs/{hash}. */
export const blobRefSchema = z
  .object({
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    bytes: z.int().nonnegative(),
    mediaType: z.string(),
  })
  .meta({ id: 'BlobRef' });
export type BlobRef = z.infer<typeof blobRefSchema>;

/** Text that may be too large for the log: `text` is a preview when `blob` is present. */
export const payloadSchema = z.object({ text: z.string(), blob: blobRefSchema.optional() }).meta({ id: 'Payload' });
export type Payload = z.infer<typeof payloadSchema>;

export const isolationSchema = z.enum(['none', 'process', 'container', 'vm']).meta({ id: 'Isolation' });
export type Isolation = z.infer<typeof isolationSchema>;

export const failureSchema = z
  .object({
    code: z.string().describe('A key of ERROR_CODES; an unknown one is shown by its message'),
    message: z.string(),
    hint: z.string().optional(),
    retryable: z.boolean(),
  })
  .meta({ id: 'Failure' });
export type Failure = z.infer<typeof failureSchema>;
