import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeSample } from '../../scripts/demo/sample.ts';
import { npm } from '../../scripts/setup/command.ts';
import type { Bench } from '../figure.ts';
import type { Peer, RunningPeer, Stage } from './peer.ts';

const run = promisify(execFile);

/** Gives every peer a stage of its own in one bench, and installs each package once. */
export class Stages {
  readonly #bench: Bench;
  readonly #modelUrl: string;
  readonly #installed = new Map<string, Promise<string>>();
  #number = 0;

  constructor(bench: Bench, modelUrl: string) {
    this.#bench = bench;
    this.#modelUrl = modelUrl;
  }

  /** A failure while it starts ends what was started. */
  async start(
    peer: Peer,
    options: { ask: boolean },
  ): Promise<{ peer: RunningPeer; stage: Stage; end: () => Promise<void> }> {
    const cleanups: (() => Promise<unknown> | void)[] = [];
    const end = async (): Promise<void> => {
      for (let cleanup = cleanups.pop(); cleanup; cleanup = cleanups.pop()) {
        await Promise.resolve(cleanup()).catch((error: unknown) =>
          this.#bench.report(`${peer.name}: ${String(error)}`),
        );
      }
    };
    this.#bench.defer(end);
    try {
      const stage = await this.#make(cleanup => cleanups.push(cleanup));
      return { peer: await peer.start(stage, options), stage, end };
    } catch (error) {
      await end();
      throw error;
    }
  }

  async #make(defer: (cleanup: () => Promise<unknown> | void) => void): Promise<Stage> {
    // Short: there are sockets below it.
    const folder = join(this.#bench.folder, `p${++this.#number}`);
    await mkdir(folder);
    const repository = join(folder, 'sample');
    await makeSample(repository);
    const workspace = join(folder, 'work');
    await run('git', ['clone', '--quiet', repository, workspace]);
    return {
      folder,
      repository,
      workspace,
      modelUrl: this.#modelUrl,
      defer,
      install: (packages, overrides = {}) => {
        const key = packages.join(' ');
        const known = this.#installed.get(key) ?? this.#install(packages, overrides);
        this.#installed.set(key, known);
        return known;
      },
    };
  }

  /** Without scripts of installation: nothing is compiled here, and nobody else's code runs before it is asked to. */
  async #install(packages: readonly string[], overrides: Readonly<Record<string, string>>): Promise<string> {
    const folder = join(this.#bench.folder, `n${this.#installed.size + 1}`);
    await mkdir(folder);
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, overrides }));
    this.#bench.report(`installing ${packages.join(', ')}`);
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'];
    await npm(['install', ...flags, ...packages], folder);
    return folder;
  }
}
