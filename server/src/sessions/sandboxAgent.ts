import { open } from 'node:fs/promises';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { Agent, FoundAgent } from '../agents/agent.ts';
import type { Sandbox } from '../sandboxes/provider.ts';

/*
 * The agent's program as a sandbox sees it. Where files of the relay can be mounted it is the machine's own; elsewhere the
 * one of the sandbox's image, and when that has none, the machine's is sent.
 */

/** Where a mounted program appears in a sandbox that isolates. */
export const MOUNTED_PROGRAM = '/mnt/sandpiper/agent';

const ASK_TIMEOUT_MS = 60_000;
const SEND_TIMEOUT_MS = 5 * 60_000;
/** A file is written whole, from memory. */
const PIECE_BYTES = 8 << 20;

/** What was seen of the program in a sandbox when it was filled; undefined: it has none. */
type Look = { path: string; said: string } | undefined;

/** Of sandboxes in which no agent has run yet. */
const looks = new WeakMap<Sandbox, { agentId: string; look: Look }>();

/** Spares the next `agentIn` the question. */
export function rememberLook(sandbox: Sandbox, { id }: Agent, look: Look): void {
  looks.set(sandbox, { agentId: id, look });
}

/** Until `agentIn` is asked. */
export function wasJustFilled(sandbox: Sandbox): boolean {
  return looks.has(sandbox);
}

/** Where the machine's own program is put in a sandbox whose image has none. */
export function sentProgram(sandbox: Sandbox, agent: Agent, found: FoundAgent): string {
  return `${sandbox.paths.journal}/.agent/${agent.id}-${found.version}`;
}

/** Where the program is inside the sandbox, and which version it is there. `found` is the machine's own. */
export async function agentIn(sandbox: Sandbox, agent: Agent, found: FoundAgent): Promise<FoundAgent> {
  if (sandbox.hostMounts) {
    return { path: sandbox.isolation === 'none' ? found.path : MOUNTED_PROGRAM, version: found.version };
  }
  const { programName, versionFrom } = agent;
  const sent = sentProgram(sandbox, agent, found);
  if (programName !== undefined && versionFrom !== undefined) {
    const seen = looks.get(sandbox);
    looks.delete(sandbox);
    const look = seen?.agentId === agent.id ? seen.look : await lookFor(sandbox, programName, sent);
    if (look !== undefined) {
      return { path: look.path, version: versionFrom(look.said, look.path) };
    }
  }
  await sendProgram(sandbox, found, sent);
  return { path: sent, version: found.version };
}

async function lookFor(sandbox: Sandbox, name: string, sent: string): Promise<Look> {
  const path = await whichIn(sandbox, name, sent);
  return path === undefined ? undefined : { path, said: await answerOf(sandbox, path) };
}

async function whichIn(sandbox: Sandbox, name: string, sent: string): Promise<string | undefined> {
  const script = 'command -v -- "$1" || { [ -x "$2" ] && printf "%s\\n" "$2"; }; exit 0';
  const { stdout } = await sandbox.exec(['sh', '-c', script, 'sh', name, sent], { timeoutMs: ASK_TIMEOUT_MS });
  const path = stdout.toString().trim();
  return path.startsWith('/') ? path : undefined;
}

async function answerOf(sandbox: Sandbox, path: string): Promise<string> {
  const { code, stdout, stderr } = await sandbox.exec([path, '--version'], { timeoutMs: ASK_TIMEOUT_MS });
  return code === 0 ? stdout.toString() : `${stdout.toString()}\n${stderr.toString()}`;
}

/** @throws `agent_missing` when the machine's own program does not run there */
async function sendProgram(sandbox: Sandbox, found: FoundAgent, to: string): Promise<void> {
  const pieces = `${to}.pieces`;
  await sandbox.exec(['rm', '-rf', pieces], { timeoutMs: ASK_TIMEOUT_MS });
  const file = await open(found.path, 'r');
  try {
    const { size } = await file.stat();
    for (let offset = 0, number = 0; offset < size; offset += PIECE_BYTES, number++) {
      const piece = Buffer.alloc(Math.min(PIECE_BYTES, size - offset));
      await file.read(piece, 0, piece.length, offset);
      await sandbox.writeFile(`${pieces}/${String(number).padStart(6, '0')}`, piece);
    }
  } finally {
    await file.close();
  }
  const script = 'cat "$1"/* > "$2.new" && chmod 755 "$2.new" && rm -rf "$1" && "$2.new" --version && mv "$2.new" "$2"';
  const { code, stderr } = await sandbox.exec(['sh', '-c', script, 'sh', pieces, to], { timeoutMs: SEND_TIMEOUT_MS });
  if (code !== 0) {
    const said = stderr.toString().trim().split('\n').at(-1)?.slice(0, 300) ?? '';
    throw new SandpiperError(
      'agent_missing',
      `The image of the sandbox has no agent program, and that of this machine does not run there: ${said}`,
      { hint: 'Put the agent into the image: `sandpiper image build` makes one that has it.' },
    );
  }
}
