import { z } from 'zod';
import { SandpiperError, toError } from '../../../protocol/errors.ts';

/*
 * What is in a backup, in this order:
 *
 *   sandpiper-backup.json   which format this is; first, so that a newer one is known by its first block
 *   relay.db                the database, whole
 *   blobs/<ab>/<rest>       every blob that an event names, as it is stored
 *   mirrors/<id>/...        refs, shallow (where there is one) and pack of a mirror
 *   archives/...            deleted sessions and saved sandboxes, as they are stored
 *   conversations/...       what the agent remembers of each session
 *   manifest.jsonl          the counts, then name, size and SHA-256 of each part before it
 *   checksum                SHA-256 of every byte before this entry
 *
 * Never in it: the token, keys, sandboxes, the log of the relay.
 */

export const FORMAT_VERSION = 1;
export const START = 'sandpiper-backup.json';
export const DATABASE = 'relay.db';
export const MANIFEST = 'manifest.jsonl';
export const CHECKSUM = 'checksum';
/** Two empty blocks end a tar file. */
export const END_BYTES = 1024;

const PART =
  /^(relay\.db|blobs\/[0-9a-f]{2}\/[0-9a-f]{62}|mirrors\/[a-z0-9_]{1,80}\/(refs|shallow|pack)|archives\/((sessions|sandboxes)\/[a-z0-9_]{1,40}\.json|parts\/[0-9a-f]{64})|conversations\/ses_[0-9a-z]{26}(\.[0-9a-f-]{36})?\.jsonl)$/;

/** Whether a part of this name may be in a backup: nothing else is ever written to a disk from one. */
export function isPartName(name: string): boolean {
  return PART.test(name);
}

export const startSchema = z.object({
  format: z.literal('sandpiper-backup'),
  formatVersion: z.int().positive(),
  /** Of the Sandpiper that wrote it. */
  version: z.string(),
  createdAt: z.number(),
});
export type Start = z.infer<typeof startSchema>;

const count = z.int().nonnegative();

export const summaryLineSchema = z.object({
  counts: z.object({ sessions: count, events: count, blobs: count, mirrors: count, commits: count, archives: count }),
  warnings: z.array(z.string()),
  parts: count,
});
export type SummaryLine = z.infer<typeof summaryLineSchema>;

export const partLineSchema = z.object({
  name: z.string(),
  bytes: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type PartLine = z.infer<typeof partLineSchema>;

export function damagedBackup(file: string, why: string, cause?: unknown): SandpiperError {
  return new SandpiperError('invalid_params', `The backup ${file} is damaged: ${why}.`, {
    hint: 'Use another copy of it. Nothing has been changed.',
    cause,
  });
}

export function unreadableBackup(file: string, cause: unknown): SandpiperError {
  return new SandpiperError('invalid_params', `The backup ${file} cannot be read: ${toError(cause).message}.`, {
    hint: 'Check the path and your right to read it. Nothing has been changed.',
    cause,
  });
}

export function noBackup(file: string): SandpiperError {
  return new SandpiperError('invalid_params', `${file} is not a backup of Sandpiper.`, {
    hint: 'Give a file that `sandpiper backup` has written. Nothing has been changed.',
  });
}

export function newerBackup(file: string, version: string): SandpiperError {
  return new SandpiperError('version_mismatch', `The backup ${file} was made by a newer Sandpiper (${version}).`, {
    hint: 'Update Sandpiper, then try again. Nothing has been changed.',
  });
}
