import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { readRelayAddress } from '../../client/relayAddress.ts';
import type { RelayClient } from '../../client/relayClient.ts';
import { builtVsix } from './builtVsix.ts';
import { launchChromium } from './chromium.ts';
import { startCodeServer } from './codeServer.ts';
import { openEditorWorld, type EditorWorld } from './editorWorld.ts';
import { joinRelay } from './joinRelay.ts';
import type { StepInput } from './modelScript.ts';
import { openWindow } from './workbench.ts';

/** The installed extension in a real VS Code with all it needs: it starts its relay itself, when something asks for it. */
export interface EditorStage extends EditorWorld {
  /** Of the relay that the extension started, and of the next when it was killed. */
  readonly client: RelayClient;
  /** Opens a window of its own profile on a folder; on the sample when none is named, on nothing for `null`. */
  openWindow(folder?: string | null): Promise<Page>;
  relayPid(): Promise<number>;
  relayLog(): Promise<string>;
}

export interface StageOptions {
  /** What the model does when a prompt carries no script: one step an answer, and it may be changed meanwhile. */
  fallback?: readonly StepInput[];
  settings?: Record<string, unknown>;
  /** Opens every folder in Restricted Mode. */
  untrusted?: boolean;
  machineSettings?: Record<string, unknown>;
  /** The display language of the editor. */
  language?: string;
  /** VSIX files of other extensions. */
  extensions?: readonly string[];
  /** Over the environment that the relay is to inherit; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
}

export async function openEditorStage(options: StageOptions = {}): Promise<EditorStage> {
  const world = await openEditorWorld(options.fallback ?? []);
  const cleanups: (() => Promise<unknown> | void)[] = [() => world.dispose()];
  const dispose = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) {
      await cleanup();
    }
  };
  try {
    const { dataFolder } = world;
    const server = await startCodeServer({
      extensions: [await builtVsix(), ...(options.extensions ?? [])],
      settings: options.settings ?? {},
      untrusted: options.untrusted ?? false,
      ...(options.language === undefined ? {} : { language: options.language }),
      machineSettings: { 'sandpiper.relay.dataFolder': dataFolder, ...options.machineSettings },
      env: { ...world.env, ...options.env },
    });
    cleanups.push(() => server.stop());
    const client = joinRelay(dataFolder);
    cleanups.push(() => client.dispose());
    let browser: Browser | undefined;
    cleanups.push(() => browser?.close());
    return {
      ...world,
      client,
      async openWindow(folder = world.repository) {
        browser ??= await launchChromium();
        return openWindow(browser, server, folder ?? undefined);
      },
      async relayPid() {
        const address = await readRelayAddress(dataFolder);
        if (!address) {
          throw new Error('No relay has written its address.');
        }
        return address.pid;
      },
      relayLog: () => readFile(join(dataFolder, 'relay.log'), 'utf8'),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
