import { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { SavedSandbox } from '../archives/manifest.ts';
import type { Part } from '../archives/partStore.ts';
import { savedRef, updateRef } from '../git/refs.ts';
import { RESTORE_SCRIPT, SAVE_EXIT, SAVE_SCRIPT } from '../git/savedWork.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import type { Dependencies } from './dependencies.ts';
import { mirrorIn, scratchOf } from './sandboxMirror.ts';
import { bytesOf, commitWork, lastLines, mirrorOf } from './workspace.ts';

/*
 * All that a sandbox holds, kept in the relay's archives, so that the sandbox can be removed and another one be made like
 * it: the files as a commit through the quarantine, and beside it two archives that only a sandbox ever unpacks.
 */

const SAVE_TIMEOUT_MS = 10 * 60_000;
/** Pieces that an archive goes back into a sandbox in: a file is written whole, from memory. */
const PIECE_BYTES = 8 << 20;

/**
 * Saves what is in a sandbox in which nothing runs.
 * @throws `too_large` when it is more than the retention settings allow, `git_failed`, `disk_full`, `sandbox_gone`
 */
export async function saveSandbox(
  dependencies: Dependencies,
  sandbox: Sandbox,
  state: SessionState,
): Promise<SavedSandbox> {
  const commit = await tryCommit(dependencies, sandbox, state);
  const archives = await packSandbox(dependencies, sandbox, commit === undefined);
  return commit === undefined ? archives : { commit, ...archives };
}

/** Keeps a sandbox that belongs to no session that this relay knows: all of it, as plain files. */
export async function saveForeignSandbox(
  dependencies: Dependencies,
  sandbox: Sandbox,
  { key, expiresAt }: { key: string; expiresAt: number },
): Promise<void> {
  const saved = await packSandbox(dependencies, sandbox, true);
  await dependencies.archives.writeForeign({ sandbox: sandbox.ref, key, expiresAt, saved });
}

async function packSandbox(
  dependencies: Dependencies,
  sandbox: Sandbox,
  isWhole: boolean,
): Promise<Pick<SavedSandbox, 'work' | 'home'>> {
  const { workspace, home, journal } = sandbox.paths;
  const { archiveMaxBytes } = dependencies.retention;
  const script = `${journal}/save.sh`;
  const out = `${journal}/saved`;
  await sandbox.writeFile(script, Buffer.from(SAVE_SCRIPT));
  const whole = isWhole ? 'yes' : 'no';
  const { code, stderr } = await sandbox.exec(
    ['sh', script, workspace, scratchOf(sandbox), home, out, String(archiveMaxBytes), whole],
    { timeoutMs: SAVE_TIMEOUT_MS },
  );
  if (code === SAVE_EXIT.tooLarge) {
    throw tooLarge(archiveMaxBytes);
  }
  if (code !== 0) {
    throw new SandpiperError('git_failed', `What is in the sandbox could not be saved: ${lastLines(stderr)}`, {
      hint: 'Mend what the reason names, or delete by force: the commits and the log are kept.',
    });
  }
  const { parts } = dependencies.archives;
  const work = await parts.put(bytesOf(sandbox, `${out}.work`), archiveMaxBytes);
  return { work, home: await parts.put(bytesOf(sandbox, `${out}.home`), archiveMaxBytes) };
}

/** The files as a commit, or undefined when they cannot be one: then everything is saved as plain files. */
async function tryCommit(
  dependencies: Dependencies,
  sandbox: Sandbox,
  state: SessionState,
): Promise<string | undefined> {
  try {
    const message = `Work in the sandbox of session ${state.id} when it was removed\n`;
    const ref = savedRef(state.id);
    const { commit, bundle } = await commitWork(dependencies, sandbox, state, { ref, message });
    if (!bundle) {
      await updateRef(mirrorOf(dependencies, state), ref, commit);
    }
    return commit;
  } catch (error) {
    if (error instanceof SandpiperError && (error.code === 'git_failed' || error.code === 'import_refused')) {
      dependencies.log.log('warn', 'session', `Saved as plain files: ${error.message}`, { sessionId: state.id });
      return undefined;
    }
    throw error;
  }
}

/**
 * Puts what was saved into a new sandbox that has a clone of `saved.commit`, or of any commit when there is none.
 * @throws `internal` when the archive is damaged; nothing was written then
 */
export async function unpackSandbox(
  dependencies: Dependencies,
  sandbox: Sandbox,
  state: SessionState,
  saved: SavedSandbox,
): Promise<void> {
  const { parts } = dependencies.archives;
  await parts.verify([saved.work, saved.home]);
  const { workspace, home, journal } = sandbox.paths;
  const [script, pieces] = [`${journal}/restore.sh`, `${journal}/restore`];
  await sandbox.writeFile(script, Buffer.from(RESTORE_SCRIPT));
  await writePieces(dependencies, sandbox, `${pieces}/work`, saved.work);
  await writePieces(dependencies, sandbox, `${pieces}/home`, saved.home);
  const objects = `${mirrorIn(sandbox, mirrorOf(dependencies, state))}/objects`;
  const whole = saved.commit === undefined ? 'yes' : 'no';
  const { code, stderr } = await sandbox.exec(['sh', script, workspace, home, pieces, objects, whole], {
    timeoutMs: SAVE_TIMEOUT_MS,
  });
  if (code !== 0) {
    throw new SandpiperError('git_failed', `What was saved could not be unpacked: ${lastLines(stderr)}`, {
      hint: 'Retry the session. What was saved is kept.',
    });
  }
}

async function writePieces(dependencies: Dependencies, sandbox: Sandbox, prefix: string, part: Part): Promise<void> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  let number = 0;
  const write = async (): Promise<void> => {
    await sandbox.writeFile(`${prefix}.${String(number++).padStart(6, '0')}`, Buffer.concat(waiting));
    waiting = [];
    bytes = 0;
  };
  for await (const chunk of dependencies.archives.parts.read(part)) {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes >= PIECE_BYTES) {
      await write();
    }
  }
  await write();
}

function tooLarge(maxBytes: number): SandpiperError {
  return new SandpiperError(
    'too_large',
    `What is in the sandbox beside its commits is more than ${Math.round(maxBytes / 1e6)} MB, too much to keep.`,
    {
      hint: 'Remove what can be made again (dependencies, build output), raise SANDPIPER_ARCHIVE_MAX_MB, or delete by force: the commits and the log are kept.',
    },
  );
}
