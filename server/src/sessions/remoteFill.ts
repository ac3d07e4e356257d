import type { Agent, FoundAgent } from '../agents/agent.ts';
import { exportBundle, readExport } from '../git/exports.ts';
import type { Mirror } from '../git/mirror.ts';
import { FILL_SCRIPT, NOT_EMPTY, parseLook } from '../git/sandboxMirrorScripts.ts';
import type { Sandbox, SandboxProvider } from '../sandboxes/provider.ts';
import { rememberLook, sentProgram } from './sandboxAgent.ts';
import { couldNotTake, mirrorIn, PIECE_BYTES, scratchOf, shallowOf } from './sandboxMirror.ts';

/*
 * Everything that a sandbox which was just made elsewhere lacks, in one journey: the commits, the clone, and a look for the
 * agent's program.
 */

/** A commit with all its history, as bytes. */
export interface Parcel {
  commit: string;
  bundle: Buffer;
  /** Empty where the history is whole. */
  shallow: string;
}

const FILL_TIMEOUT_MS = 10 * 60_000;
/** It is an argument. */
const MAX_SHALLOW_BYTES = 32 * 1024;

/** What programs said of their version, by provider and file. Only from sandboxes in which no agent had run. */
const versions = new Map<string, string>();

/**
 * Begun while the sandbox is still being made. Undefined where files can be mounted, and where it is too much for one
 * journey: the commits are then brought piece by piece.
 */
export async function packParcel(
  provider: SandboxProvider,
  mirror: Mirror,
  commit: string,
): Promise<Parcel | undefined> {
  try {
    if ((await provider.probe()).capabilities.hostMounts) {
      return undefined;
    }
    const refs = { [`refs/sandpiper/brought/${commit}`]: commit };
    const [{ id, bytes }, shallow] = await Promise.all([exportBundle(mirror, { refs, have: [] }), shallowOf(mirror)]);
    if (bytes > PIECE_BYTES || (shallow?.length ?? 0) > MAX_SHALLOW_BYTES) {
      return undefined;
    }
    const { content } = await readExport(mirror, id, 0, bytes);
    return content.length === bytes
      ? { commit, bundle: content, shallow: shallow?.toString().trim() ?? '' }
      : undefined;
  } catch {
    // Whatever is wrong shows, with its reason, when the commits are brought.
    return undefined;
  }
}

/**
 * Runs `clone` in a sandbox that now has the parcel's commit. False: there is something in it already, and nothing was done.
 * @throws `git_failed`
 */
export async function fillRemotely(
  sandbox: Sandbox,
  mirror: Mirror,
  work: { parcel: Parcel; clone: readonly string[]; agent: Agent; found: FoundAgent },
): Promise<boolean> {
  const { parcel, clone, agent, found } = work;
  const { programName, versionFrom } = agent;
  const program = versionFrom === undefined ? '' : (programName ?? '');
  const known = `${sandbox.ref.provider}\n${agent.id}`;
  const [knownKey = '', knownVersion = ''] = versions.get(known)?.split('\0') ?? [];
  const { journal } = sandbox.paths;
  const inside = mirrorIn(sandbox, mirror);
  const where = [inside, scratchOf(sandbox), `${journal}/.incoming`, parcel.commit, parcel.shallow];
  const look = [program, sentProgram(sandbox, agent, found), knownKey];
  const { code, stdout, stderr } = await sandbox.exec(['sh', '-c', FILL_SCRIPT, 'sh', ...where, ...look, ...clone], {
    stdin: parcel.bundle,
    timeoutMs: FILL_TIMEOUT_MS,
  });
  if (code === NOT_EMPTY) {
    return false;
  }
  if (code !== 0) {
    throw couldNotTake(code, stderr);
  }
  if (program !== '') {
    const { path, key, said = knownVersion } = parseLook(stdout.toString());
    if (path !== undefined && key !== '') {
      versions.set(known, `${key}\0${said}`);
    }
    rememberLook(sandbox, agent, path === undefined ? undefined : { path, said });
  }
  return true;
}
