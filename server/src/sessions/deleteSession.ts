import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { CallResult } from '../../../protocol/calls.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { Manifest, SavedSandbox } from '../archives/manifest.ts';
import { removeRefs } from '../git/sessionRefs.ts';
import type { CallRecord } from '../store/store.ts';
import { archiveSession, type FinalSession } from './archiveSession.ts';
import type { Dependencies } from './dependencies.ts';
import type { Deleting } from './runtime.ts';
import { removeSandboxes } from './removeSandboxes.ts';
import { saveSandbox } from './savedSandbox.ts';
import type { Session } from './session.ts';
import { providerOf, relayFolderOf } from './workspace.ts';

/*
 * Deleting a session. What is to happen is written down first, so that a relay that was killed goes on with it:
 * 1. the session is put away, its agent ended; 2. its sandbox is saved; 3. its archive is written, and from then on
 * there is no way back; 4. sandbox, folders and refs are removed; 5. the rows are, with the record of the call.
 * A failure before 3 leaves the session as it was; one after it leaves it put away until somebody tries again.
 */

export type Deleted = CallResult<'session.delete'>;

export interface DeleteRequest {
  /** Also when what is in the sandbox cannot be saved. */
  force: boolean;
  /** Makes the record of the call that asked. */
  record(result: unknown): CallRecord;
}

/** Until the agent has ended and its last turn is a checkpoint. */
const QUIET_TIMEOUT_MS = 60_000;

/** @param request undefined to go on with what is under way */
export async function deleteSession(
  dependencies: Dependencies,
  session: Session,
  request: DeleteRequest | undefined,
): Promise<Deleted> {
  const deleting = await begin(session, request);
  const { archives } = dependencies;
  const found = await archives.read(session.id).catch(() => undefined);
  const begun = found?.deletionId === deleting.id ? found : undefined;
  try {
    session.advance();
    await session.quiet(QUIET_TIMEOUT_MS);
    const kept = begun ? { begun } : await keep(dependencies, session, deleting);
    let manifest: Manifest | undefined;
    await session.log.end(async final => {
      manifest = begun?.lastSeq === final.state.seq ? begun : await archiveSession(dependencies, final, deleting, kept);
      await removeAll(dependencies, final, manifest);
      await dependencies.store.removeSession({
        sessionId: session.id,
        expectedSeq: final.state.seq,
        call: { ...deleting.call, method: 'session.delete', result: JSON.stringify(deletedOf(manifest)) },
      });
    });
    if (!manifest) {
      throw new Error('A session was removed without an archive');
    }
    return deletedOf(manifest);
  } catch (error) {
    const archive = await archives.read(session.id).catch(() => undefined);
    if (archive?.deletionId !== deleting.id) {
      await giveUp(session, deleting, error);
    }
    throw error;
  }
}

/** What the answer to the call says. */
export function deletedOf({ deletedAt, expiresAt, missing }: Manifest): Deleted {
  return { deletedAt, restorableUntil: expiresAt, missing };
}

async function begin(session: Session, request: DeleteRequest | undefined): Promise<Deleting> {
  await session.log.update((state, runtime) => {
    if (runtime.deleting || !request) {
      return undefined;
    }
    const { key, paramsHash } = request.record({});
    const deleting: Deleting = {
      id: randomUUID(),
      at: Date.now(),
      force: request.force,
      wasArchived: state.archived,
      call: { key, paramsHash },
    };
    return {
      events: state.archived ? [] : [{ type: 'sessionArchived', archived: true }],
      runtime: { deleting },
    };
  });
  const { deleting } = session.log.runtime;
  if (!deleting) {
    throw new SandpiperError('conflict', 'This session is not being deleted.');
  }
  return deleting;
}

/** What is in the sandbox; what cannot be had from it is named. */
async function keep(
  dependencies: Dependencies,
  session: Session,
  { force }: Deleting,
): Promise<{ sandbox: SavedSandbox | undefined; missing: string[] }> {
  const { sandbox, cloned, saved } = session.log.runtime;
  if (!sandbox || !cloned) {
    return { sandbox: saved, missing: [] };
  }
  try {
    const attached = await providerOf(dependencies, sandbox.provider).attach(sandbox);
    return { sandbox: await saveSandbox(dependencies, attached, session.log.state), missing: [] };
  } catch (error) {
    const failure = toSandpiperError(error);
    const isGone = failure.code === 'sandbox_gone';
    if (isGone || (force && failure.code !== 'disk_full')) {
      return { sandbox: undefined, missing: [`What was in the sandbox since the last turn: ${failure.message}`] };
    }
    throw error;
  }
}

/** Every step may be repeated. */
async function removeAll(
  dependencies: Dependencies,
  { state, runtime }: FinalSession,
  manifest: Manifest,
): Promise<void> {
  await dependencies.ownership.confirm();
  await dependencies.gateway.close(state.id);
  await dependencies.egress.proxy.close(state.id);
  // Also one that was made and of which the log does not say so yet.
  await removeSandboxes(dependencies, state.id, { provider: state.provider, ...runtime.sandbox });
  for (const place of runtime.left ?? []) {
    // Where one is out of reach now, the next look for what nobody needs finds it.
    await removeSandboxes(dependencies, state.id, place).catch((error: unknown) => {
      const fields = { sessionId: state.id, provider: place.provider, error: toSandpiperError(error).message };
      dependencies.log.log('warn', 'session', 'What a move left behind stays for now', fields);
    });
  }
  await dependencies.conversations.remove(state.id);
  await rm(await relayFolderOf(dependencies, state.id), { recursive: true, force: true });
  const mirror = dependencies.mirrors.open(state.repository.id);
  if (mirror) {
    // The base may be another session's too.
    await removeRefs(
      mirror,
      manifest.refs.map(ref => ref.name).filter(name => name.startsWith('refs/sandpiper/')),
    );
  }
}

async function giveUp(session: Session, deleting: Deleting, error: unknown): Promise<void> {
  const { message, hint } = toSandpiperError(error);
  await session.log.update((_state, runtime) =>
    runtime.deleting?.id === deleting.id
      ? {
          events: [
            ...(deleting.wasArchived ? [] : [{ type: 'sessionArchived', archived: false } as const]),
            {
              type: 'noticeRaised',
              level: 'warning',
              text: `This session was not deleted: ${message}`,
              ...(hint === undefined ? {} : { hint }),
            },
          ],
          runtime: { deleting: undefined },
        }
      : undefined,
  );
  session.advance();
}
