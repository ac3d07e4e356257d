import { join } from 'node:path';
import type { SessionState } from '../../protocol/session.ts';
import { makeSample } from '../../scripts/demo/sample.ts';
import { startGithubServer, type GithubServer } from './githubServer.ts';
import type { StepInput } from './modelScript.ts';
import { plainGit } from './plainGit.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

/** A workshop whose relay knows a forge. */
export interface ForgeWorkshop {
  github: GithubServer;
  shop: Workshop;
  dispose(): Promise<void>;
}

/**
 * @param env of the relay, with what only the forge knows, such as its token
 * @param command as of openWorkshop()
 */
export async function openForgeWorkshop(
  env: (github: GithubServer) => Record<string, string> = () => ({}),
  command?: readonly string[],
): Promise<ForgeWorkshop> {
  const github = await startGithubServer();
  try {
    const hosts = { SANDPIPER_GITHUB_HOSTS: `${github.host}=${github.apiUrl}` };
    const shop = await openWorkshop({ ...hosts, ...env(github) }, command);
    return {
      github,
      shop,
      async dispose() {
        await shop.dispose();
        await github.close();
      },
    };
  } catch (error) {
    await github.close();
    throw error;
  }
}

/** The relay has the token of the forge. */
export function withToken({ token }: GithubServer): Record<string, string> {
  return { SANDPIPER_GITHUB_TOKEN: token };
}

/** A sample repository with an origin on the forge. */
export interface ForgeClone {
  source: string;
  /** The forge's own copy. */
  bare: string;
}

export async function makeForgeClone(shop: Workshop, github: GithubServer, name: string): Promise<ForgeClone> {
  const source = join(shop.folder, name);
  await makeSample(source);
  const { bareFolder, cloneUrl } = await github.createRepository('owner', name, { from: source });
  await plainGit(source, ['remote', 'add', 'origin', cloneUrl]);
  return { source, bare: bareFolder };
}

export function bash(command: string): StepInput[] {
  return [{ tool: 'Bash', input: { command } }, { text: 'Done.' }];
}

/** Whether a session rests after so many turns. */
export function idle(turns: number): (state: SessionState) => boolean {
  return state => state.phase.kind === 'idle' && state.turns.length === turns;
}

/** A session that has changed something in its first turn. */
export async function beginChange(
  shop: Workshop,
  source: string,
  { command = 'echo new > added.txt', base }: { command?: string; base?: string } = {},
): Promise<string> {
  const id = await shop.begin(bash(command), { source, title: 'Add a file', ...(base === undefined ? {} : { base }) });
  await shop.until(id, 'one turn', idle(1));
  return id;
}
