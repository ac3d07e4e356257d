import { join } from 'node:path';
import { makeSample } from '../../scripts/demo/sample.ts';
import { runOrThrow } from '../../scripts/setup/command.ts';
import { startGithubServer, type GithubServer } from './githubServer.ts';
import type { StepInput } from './modelScript.ts';
import { CLAUDE, temporaryFolder } from './relayProcess.ts';
import { startScriptedModel, type ScriptedModel } from './scriptedModel.ts';
import { stopRelayOf } from './stopRelay.ts';
import { REAL_KEY } from './workshop.ts';

/** All that the relay of an editor needs, and a repository to open; the relay itself is the extension's to start. */
export interface EditorWorld {
  readonly folder: string;
  readonly dataFolder: string;
  /** A repository with a failing test and an origin on `github`. */
  readonly repository: string;
  readonly github: GithubServer;
  readonly model: ScriptedModel;
  /** Makes a relay use the scripted model, the real agent and the GitHub of this world. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends agents, relay and servers, and removes the folder. */
  dispose(): Promise<void>;
}

/** @param fallback what the model does when a prompt carries no script: one step an answer; may be changed meanwhile */
export async function openEditorWorld(fallback: readonly StepInput[]): Promise<EditorWorld> {
  const scratch = await temporaryFolder();
  const cleanups: (() => Promise<void>)[] = [() => scratch.remove()];
  const dispose = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) {
      await cleanup();
    }
  };
  try {
    const dataFolder = join(scratch.path, 'data');
    const repository = join(scratch.path, 'slug');
    await makeSample(repository);
    const github = await startGithubServer();
    cleanups.push(() => github.close());
    const { cloneUrl } = await github.createRepository('octo', 'slug', { from: repository, defaultBranch: 'main' });
    await runOrThrow('git', ['-C', repository, 'remote', 'add', 'origin', cloneUrl]);
    const model = await startScriptedModel({ apiKey: REAL_KEY, fallback });
    cleanups.push(() => model.close());
    cleanups.push(() => stopRelayOf(dataFolder));
    const env = {
      ANTHROPIC_BASE_URL: model.url,
      ANTHROPIC_API_KEY: REAL_KEY,
      SANDPIPER_CLAUDE: CLAUDE,
      SANDPIPER_GITHUB_TOKEN: github.token,
      SANDPIPER_GITHUB_HOSTS: `${github.host}=${github.apiUrl}`,
    };
    return { folder: scratch.path, dataFolder, repository, github, model, env, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
