import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { HookForge } from '../../../protocol/hookCalls.ts';
import { readOrMakeSecret } from '../core/dataFolder.ts';
import { WEBHOOK_SECRET_VARIABLES } from '../core/hookConfig.ts';

const FILES: Readonly<Record<HookForge, string>> = {
  github: 'webhook-secret',
  gitea: 'webhook-secret-gitea',
  gitlab: 'webhook-secret-gitlab',
};

/** The secret by which the webhooks of one kind of forge are signed: from the environment, or in a file that only the relay's user may read. */
export class HookSecret {
  readonly #forge: HookForge;
  readonly #path: string;
  readonly #fromEnvironment: string | undefined;
  readonly #onChange: (secret: string) => void;
  #stored: string | undefined;

  private constructor(
    dataFolder: string,
    forge: HookForge,
    fromEnvironment: string | undefined,
    onChange: (secret: string) => void,
  ) {
    this.#forge = forge;
    this.#path = join(dataFolder, FILES[forge]);
    this.#fromEnvironment = fromEnvironment;
    this.#onChange = onChange;
  }

  /** @param onChange hears of the secret that is held, now and later */
  static async open(
    dataFolder: string,
    forge: HookForge,
    fromEnvironment: string | undefined,
    onChange: (secret: string) => void,
  ): Promise<HookSecret> {
    const made = new HookSecret(dataFolder, forge, fromEnvironment, onChange);
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
        const variable = WEBHOOK_SECRET_VARIABLES[this.#forge];
        throw new SandpiperError('conflict', `The secret of webhooks is set by ${variable}.`, {
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
