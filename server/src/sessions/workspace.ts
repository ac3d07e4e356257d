import { chmod, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { FoundAgent } from '../agents/agent.ts';
import { importBundle } from '../git/importBundle.ts';
import type { Mirror } from '../git/mirror.ts';
import { checkpointRef, isBranchName, readRef, updateRef } from '../git/refs.ts';
import { checkpointScript, cloneCommand, parseCheckpoint, type CheckpointResult } from '../git/sandboxScripts.ts';
import type { Mount, Sandbox, SandboxProvider } from '../sandboxes/provider.ts';
import type { Dependencies } from './dependencies.ts';
import { fillRemotely, type Parcel } from './remoteFill.ts';
import { MOUNTED_PROGRAM } from './sandboxAgent.ts';
import { bringCommits, mirrorIn, MOUNTED_MIRROR, scratchOf } from './sandboxMirror.ts';

/*
 * A session's place of work: the sandbox with its clone, and the way of its commits back into the mirror. The relay runs
 * no git in the clone (I9); what comes out of the sandbox is bytes that are checked before they count.
 */

const AUTHOR = { name: 'Claude', email: 'noreply@anthropic.com' };
const CLONE_TIMEOUT_MS = 10 * 60_000;
const CHECKPOINT_TIMEOUT_MS = 5 * 60_000;
const CHUNK_BYTES = 1 << 20;

export interface Checkpoint {
  commit: string;
  changed: boolean;
  /** What the user must know: files that are not in it as they are in the sandbox. */
  notices: string[];
}

export function providerOf(dependencies: Dependencies, id: string): SandboxProvider {
  const provider = dependencies.providers.get(id);
  if (!provider) {
    throw new SandpiperError('invalid_params', `There is no sandbox provider "${id}".`, {
      hint: `Choose one of: ${[...dependencies.providers.keys()].join(', ')}.`,
    });
  }
  return provider;
}

export function mirrorOf(dependencies: Pick<Dependencies, 'mirrors'>, state: Pick<SessionState, 'repository'>): Mirror {
  const mirror = dependencies.mirrors.open(state.repository.id);
  if (!mirror) {
    throw new SandpiperError('repository_unreachable', `The relay has no mirror of ${state.repository.name} yet.`, {
      hint: 'Retry the session.',
    });
  }
  return mirror;
}

/** The folder of the model gateway's socket for a session, as the relay sees it. */
export async function relayFolderOf(dependencies: Dependencies, sessionId: string): Promise<string> {
  const folder = join(dependencies.runFolder, sessionId.slice(-12));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await letContainersIn(folder);
  return folder;
}

/** Where the relay is root, the user of a container is another. Nobody else gets here: the data folder is the relay's alone. */
async function letContainersIn(folder: string): Promise<void> {
  if (process.getuid?.() === 0) {
    await chmod(folder, 0o755);
  }
}

/** The address of the model for sandboxes that no socket of the relay can be put into. @throws `sandbox_unavailable` */
export function requireModelUrl({ gatewayUrl }: Dependencies, { id }: SandboxProvider): string {
  if (gatewayUrl === undefined) {
    throw new SandpiperError(
      'sandbox_unavailable',
      `Sandboxes of the provider "${id}" reach the model through an address of this relay, and it has none.`,
      {
        hint: 'Start the relay with SANDPIPER_PUBLIC_URL (how sandboxes reach it) and SANDPIPER_GATEWAY_PORT (where it listens for them).',
      },
    );
  }
  return gatewayUrl;
}

/** The agent's program and the mirror, as what a sandbox that isolates sees of this machine. */
export async function mountsOf(found: FoundAgent, mirror: Mirror): Promise<Mount[]> {
  await letContainersIn(mirror.path);
  return [
    { hostPath: await realpath(found.path), path: MOUNTED_PROGRAM },
    { hostPath: mirror.path, path: MOUNTED_MIRROR },
  ];
}

/** Makes the sandbox of a session; the same one when asked again. It may have a clone in it that stands somewhere else. */
export async function createSandbox(
  dependencies: Dependencies,
  state: SessionState,
  options: { acceptNoIsolation: boolean; found: FoundAgent },
): Promise<Sandbox> {
  const mirror = mirrorOf(dependencies, state);
  const spec = {
    key: state.id,
    acceptNoIsolation: options.acceptNoIsolation,
    // Without isolation everything is where it is on the host.
    mounts: state.isolation === 'none' ? [] : await mountsOf(options.found, mirror),
    relayFolder: await relayFolderOf(dependencies, state.id),
  };
  const { provider, repository, agent } = state;
  const spare = await dependencies.spares.take({ provider, repository, agent: agent.id }, spec);
  return spare ?? providerOf(dependencies, provider).create(spec);
}

/** Clones a commit into a workspace that is empty or has such a clone, with git running inside the sandbox. */
export async function cloneInto(
  dependencies: Pick<Dependencies, 'mirrors' | 'agents'>,
  sandbox: Sandbox,
  state: Pick<SessionState, 'repository'> & { agent: { id: string } },
  { commit, parcel, found }: { commit: string; parcel: Parcel | undefined; found: FoundAgent },
): Promise<void> {
  const mirror = mirrorOf(dependencies, state);
  const clone = cloneCommand({
    mirrorPath: mirrorIn(sandbox, mirror),
    commit,
    workspace: sandbox.paths.workspace,
    branch:
      state.repository.branch !== undefined && isBranchName(state.repository.branch) ? state.repository.branch : 'main',
    author: AUTHOR,
  });
  const agent = dependencies.agents.get(state.agent.id);
  if (parcel && agent && (await fillRemotely(sandbox, mirror, { parcel, clone, agent, found }))) {
    return;
  }
  await bringCommits(sandbox, mirror, [commit]);
  const { code, stderr } = await sandbox.exec(clone, { timeoutMs: CLONE_TIMEOUT_MS });
  if (code !== 0) {
    throw new SandpiperError('git_failed', `Cloning into the sandbox failed: ${lastLines(stderr)}`, {
      hint: 'Retry the session. If it fails again, run `sandpiper doctor`.',
    });
  }
}

/**
 * Commits what is in the workspace, inside the sandbox, and takes the commit into the mirror through quarantine (I8).
 * Safe to repeat: the same work gives the same tree, and an unchanged tree gives the previous commit.
 * @throws `import_refused` when what came out of the sandbox is not acceptable
 */
export async function makeCheckpoint(
  dependencies: Dependencies,
  sandbox: Sandbox,
  state: SessionState,
  turn: number,
): Promise<Checkpoint> {
  const mirror = mirrorOf(dependencies, state);
  const message = `${state.title}\n\nTurn ${turn} of session ${state.id}\n`;
  const ref = checkpointRef(state.id, turn);
  const report = await commitWork(dependencies, sandbox, state, { ref, message });
  await dependencies.ownership.confirm();
  if (!report.bundle) {
    await updateRef(mirror, ref, report.commit);
  }
  return { commit: report.commit, changed: report.commit !== currentCheckpoint(state), notices: noticesOf(report) };
}

/**
 * Makes the commit of `makeCheckpoint` under any ref. Where nothing changed it is the last checkpoint, `bundle` is false and
 * the ref is left to the caller.
 * @throws `git_failed`, `import_refused`
 */
export async function commitWork(
  dependencies: Dependencies,
  sandbox: Sandbox,
  state: SessionState,
  { ref, message }: { ref: string; message: string },
): Promise<CheckpointResult> {
  const mirror = mirrorOf(dependencies, state);
  const parent = currentCheckpoint(state);
  const { journal, workspace } = sandbox.paths;
  const script = `${journal}/checkpoint.sh`;
  const messageFile = `${journal}/checkpoint-message`;
  const bundle = `${journal}/checkpoint.bundle`;
  await bringCommits(sandbox, mirror, [parent]);
  await sandbox.writeFile(script, Buffer.from(checkpointScript()));
  await sandbox.writeFile(messageFile, Buffer.from(message));
  const argv = ['sh', script, workspace, scratchOf(sandbox), parent, ref, messageFile, bundle];
  const result = await sandbox.exec([...argv, `${mirrorIn(sandbox, mirror)}/objects`], {
    timeoutMs: CHECKPOINT_TIMEOUT_MS,
  });
  if (result.code !== 0) {
    throw new SandpiperError('git_failed', `The checkpoint could not be made: ${lastLines(result.stderr)}`, {
      hint: 'The work is still in the sandbox. Retry the session.',
    });
  }
  const report = parseCheckpoint(result.stdout.toString('utf8'));
  await dependencies.ownership.confirm();
  if (report.bundle) {
    // The ref exists already when a relay was killed between the import and the event: the work may have gone on since.
    const oldValue = await readRef(mirror, ref);
    await importBundle(mirror, bytesOf(sandbox, bundle), {
      ref,
      commit: report.commit,
      parent,
      ...(oldValue === undefined ? {} : { oldValue }),
    });
  } else if (report.commit !== parent) {
    throw new SandpiperError('import_refused', 'The sandbox names a commit that it did not hand over.', {
      hint: 'The work is still in the sandbox. Retry the session.',
    });
  }
  return report;
}

const LEFT_OUT = {
  tooLarge: 'too large',
  outsideLink: 'a link that leaves the repository',
  unreadable: 'unreadable',
  invalidName: 'an invalid name',
} as const;

export function noticesOf({ nested, leftOut, leftOutCount }: CheckpointResult): string[] {
  const notices = nested.map(
    path => `${path} is a repository of its own; its files are in the checkpoint as plain files.`,
  );
  notices.push(...leftOut.map(({ path, why }) => `${path} is not in the checkpoint: ${LEFT_OUT[why]}.`));
  if (leftOutCount > leftOut.length) {
    notices.push(`${leftOutCount - leftOut.length} more files are not in the checkpoint.`);
  }
  return notices;
}

/** A file of a sandbox as it is now, piece by piece. */
export async function* bytesOf(sandbox: Sandbox, path: string): AsyncGenerator<Uint8Array> {
  for (let offset = 0; ;) {
    const { data, missing } = await sandbox.readFrom(path, offset, CHUNK_BYTES);
    if (missing) {
      throw new SandpiperError('import_refused', 'The sandbox announced a bundle that is not there.', {
        hint: 'Retry the session.',
      });
    }
    if (data.length === 0) {
      return;
    }
    offset += data.length;
    yield data;
  }
}

export function lastLines(output: Buffer): string {
  return output.toString('utf8').trim().split('\n').slice(-3).join(' ').slice(0, 500);
}
