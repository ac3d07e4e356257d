import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readOrMakeSecret } from '../core/dataFolder.ts';

const FOLDER = 'trigger-secrets';

/** The secrets of webhooks of their own, each in a file that only the relay's user may read, and never in the database. */
export class TriggerSecrets {
  readonly #folder: string;
  readonly #onChange: (name: string, secret: string | undefined) => void;
  readonly #held = new Map<string, string>();

  private constructor(folder: string, onChange: (name: string, secret: string | undefined) => void) {
    this.#folder = folder;
    this.#onChange = onChange;
  }

  /** @param onChange hears of every secret that is held, now and later; undefined: it is not any more */
  static async open(
    dataFolder: string,
    names: readonly string[],
    onChange: (name: string, secret: string | undefined) => void,
  ): Promise<TriggerSecrets> {
    const made = new TriggerSecrets(join(dataFolder, FOLDER), onChange);
    for (const name of names) {
      await made.readOrMake(name);
    }
    return made;
  }

  /** What is held; a webhook that is not open has none. */
  get(name: string): string | undefined {
    return this.#held.get(name);
  }

  async readOrMake(name: string): Promise<string> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const secret = await readOrMakeSecret(join(this.#folder, name));
    this.#held.set(name, secret);
    this.#onChange(name, secret);
    return secret;
  }

  async remake(name: string): Promise<string> {
    await rm(join(this.#folder, name), { force: true });
    return this.readOrMake(name);
  }

  async forget(name: string): Promise<void> {
    await rm(join(this.#folder, name), { force: true });
    this.#held.delete(name);
    this.#onChange(name, undefined);
  }
}
