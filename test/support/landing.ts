import { join } from 'node:path';
import type { SessionState } from '../../protocol/session.ts';
import { makeSample } from '../../scripts/demo/sample.ts';
import type { GithubServer } from './githubServer.ts';
import type { StepInput } from './modelScript.ts';
import { plainGit } from './plainGit.ts';
import type { Workshop } from './workshop.ts';

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
