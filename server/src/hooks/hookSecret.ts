import { stat } from 'node:fs/promises';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import { readOrMakeSecret } from '../core/dataFolder.ts';

const FILE = 'webhook-secret';

/** The secret by which webhooks are signed: from the environment, or in a file that only the relay's user may read. */
export class HookSecret {
  readonly #path: string;
  readonly #fromEnvironment: string | undefined;
  readonly #onChange: (secret: string) => void;
  #stored: string | undefined;

  private constructor(path: string, fromEnvironment: string | undefined, onChange: (secret: string) => void) {
    this.#path = path;
    this.#fromEnvironment = fromEnvironment;
    this.#onChange = onChange;
  }

  /** @param onChange hears of the secret that is held, now and later */
  static async open(
    dataFolder: string,
    fromEnvironment: string | undefined,
    onChange: (secret: string) => void,
  ): Promise<HookSecret> {
    const made = new HookSecret(join(dataFolder, FILE), fromEnvironment, onChange);
    const isThere = await stat(made.#path).then(
      () => true,
      () => false,
    );
    made.#stored = isThere && fromEnvironment === undefined ? await readOrMakeSecret(made.#path) : undefined;
    if (made.value !== undefined) {
      onChange(made.value);
    }
    return made;
  }

  get value(): string | undefined {
    return this.#fromEnvironment ?? this.#stored;
  }

  /**
   * The secret; made when there is none, or when another one is asked for.
   * @throws `conflict` when another one is asked for and the environment says which
   */
  async make(rotate: boolean): Promise<{ secret: string; source: 'environment' | 'stored' }> {
    if (this.#fromEnvironment !== undefined) {
      if (rotate) {
        throw new SandpiperError('conflict', 'The secret of webhooks is set by SANDPIPER_WEBHOOK_SECRET.', {
          hint: 'Change it there and start the relay again.',
        });
      }
      return { secret: this.#fromEnvironment, source: 'environment' };
    }
    if (rotate) {
      await rm(this.#path, { force: true });
    }
    const secret = await readOrMakeSecret(this.#path);
    this.#stored = secret;
    this.#onChange(secret);
    return { secret, source: 'stored' };
  }
}
