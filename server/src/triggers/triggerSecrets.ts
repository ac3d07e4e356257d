import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readOrMakeSecret } from '../core/dataFolder.ts';
import { writePrivate } from '../core/writePrivate.ts';

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
    hooks: readonly { name: string; given: boolean }[],
    onChange: (name: string, secret: string | undefined) => void,
  ): Promise<TriggerSecrets> {
    const made = new TriggerSecrets(join(dataFolder, FOLDER), onChange);
    for (const { name, given } of hooks) {
      await (given ? made.readGiven(name) : made.readOrMake(name));
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
    this.#hold(name, secret);
    return secret;
  }

  /** One that the sender made. */
  async put(name: string, secret: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await writePrivate(join(this.#folder, name), `${secret}\n`);
    this.#hold(name, secret);
  }

  /** Nothing is held when it is gone, as after a restore: nothing comes in then. */
  async readGiven(name: string): Promise<void> {
    const text = await readFile(join(this.#folder, name), 'utf8').catch(() => '');
    if (text.trim() !== '') {
      this.#hold(name, text.trim());
    }
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

  #hold(name: string, secret: string): void {
    this.#held.set(name, secret);
    this.#onChange(name, secret);
  }
}
