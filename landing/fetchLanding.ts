import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientParams } from '../client/relayClient.ts';
import type { CallName, CallResult } from '../protocol/calls.ts';
import { SandpiperError } from '../protocol/errors.ts';
import type { LandingTree } from '../protocol/landingCalls.ts';
import { download, type Download } from './download.ts';
import { hasCommit, type UserFolder } from './userFolder.ts';
import { t } from '../protocol/text.ts';

/** The relay, as far as landing needs it. */
export interface LandingRelay {
  call<N extends CallName>(name: N, params: ClientParams<N>): Promise<CallResult<N>>;
}

export type LandingBundle = CallResult<'landing.bundle'>;

/**
 * Gets the bundle of what lands into a folder. A download that was cut off goes on.
 * @returns the file, which the caller removes
 * @throws `not_found` when the folder's repository has not the commit that the session started from
 */
export async function fetchBundle(
  relay: LandingRelay,
  user: UserFolder,
  scratch: string,
  { sessionId, from }: { sessionId: string; from?: LandingTree | undefined },
): Promise<{ bundle: LandingBundle; file: string }> {
  const { upstream } = await relay.call('landing.describe', { sessionId });
  if (!(await hasCommit(user, upstream))) {
    throw new SandpiperError(
      'not_found',
      t('{0} has not the commit {1} that the session started from.', user.root, upstream.slice(0, 12)),
      { hint: t('Open the folder of the same repository, or fetch that commit into it with git.') },
    );
  }
  const bundle = await relay.call('landing.bundle', {
    sessionId,
    have: [upstream],
    ...(from === undefined ? {} : { from }),
  });
  const file = join(scratch, `${bundle.id}.bundle`);
  await fetchExport(relay, sessionId, bundle, file);
  return { bundle, file };
}

/** A patch for `git apply`, whole in memory. */
export async function fetchPatch(
  relay: LandingRelay,
  scratch: string,
  { sessionId, from }: { sessionId: string; from?: LandingTree | undefined },
): Promise<{ patch: CallResult<'landing.patch'>; file: string }> {
  const patch = await relay.call('landing.patch', { sessionId, ...(from === undefined ? {} : { from }) });
  const file = join(scratch, `${patch.id}.patch`);
  await rm(file, { force: true });
  await fetchExport(relay, sessionId, patch, file);
  return { patch, file };
}

function fetchExport(
  relay: LandingRelay,
  sessionId: string,
  what: Download & { id: string },
  file: string,
): Promise<void> {
  return download(file, what, async (offset, maxBytes) => {
    const { content } = await relay.call('landing.read', { sessionId, id: what.id, offset, maxBytes });
    return Buffer.from(content, 'base64');
  });
}
