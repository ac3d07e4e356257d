import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { SandpiperError, toError } from '../../../../protocol/errors.ts';
import type { Logger } from '../../core/log.ts';
import { seal, unseal } from '../../core/sealed.ts';
import type { ForgeRepository } from '../forge.ts';
import type { GithubOauth, Grant } from './oauth.ts';

const signInSchema = z.object({
  host: z.string(),
  login: z.string().optional(),
  clientId: z.string(),
  at: z.number(),
  token: z.string(),
  expiresAt: z.number().optional(),
  refreshToken: z.string().optional(),
});
type SignIn = z.infer<typeof signInSchema>;

export interface GithubSignInsOptions {
  oauth: (host: string) => GithubOauth;
  /** Where they are kept: sealed, as one text. */
  kept: { read(): Promise<string | undefined>; write(sealed: string): Promise<void> };
  /** 32 bytes; asked for only when there is something to seal or to open. */
  key: () => Promise<Buffer>;
  log: Logger;
  /** Hears of every token, which must stand in no log; undefined: it is not held any more. */
  onToken: (use: string, token: string | undefined) => void;
  /** Resolves while no other relay can have taken over: a refresh token is good for one relay, once. */
  confirm: () => Promise<void>;
  now?: () => number;
}

const PURPOSE = 'sandpiper sign-ins';
/** GitHub's word for a refresh token that was used before, or that was taken back together with its token. */
const USED_UP = 'bad_refresh_token';
/** A token that ends sooner is made anew: what begins with it must not be cut off. */
const MARGIN_MS = 5 * 60_000;

/** Who signed this relay in, host by host. Their tokens are in memory, and sealed at rest. */
export class GithubSignIns {
  readonly #options: GithubSignInsOptions;
  readonly #now: () => number;
  readonly #byHost = new Map<string, SignIn>();
  readonly #refreshing = new Map<string, Promise<string>>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: GithubSignInsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  static async open(options: GithubSignInsOptions): Promise<GithubSignIns> {
    const made = new GithubSignIns(options);
    const sealed = await options.kept.read();
    for (const signIn of sealed === undefined ? [] : await made.#open(sealed)) {
      made.#keep(signIn);
    }
    return made;
  }

  accounts(): { host: string; login?: string; at: number; expiresAt?: number; renewable: boolean }[] {
    return [...this.#byHost.values()].map(({ host, login, at, expiresAt, refreshToken }) => ({
      host,
      at,
      renewable: refreshToken !== undefined,
      ...(login === undefined ? {} : { login }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    }));
  }

  /** Durable when it resolves. What was there for the host is replaced. */
  async add({ host, clientId, login }: Pick<SignIn, 'host' | 'clientId' | 'login'>, grant: Grant): Promise<void> {
    this.#keep({ host, clientId, at: this.#now(), ...(login === undefined ? {} : { login }), ...this.#partsOf(grant) });
    await this.#save();
  }

  /** @returns false when nobody was signed in there */
  async remove(host: string): Promise<boolean> {
    const removed = this.#byHost.delete(host);
    if (removed) {
      this.#tell(host, undefined);
      await this.#save();
    }
    return removed;
  }

  /**
   * The token for a host, a new one when the old one ends soon; undefined where nobody is signed in.
   * @throws `forge_unauthorized` when it has ended for good, `forge_unreachable`
   */
  async tokenFor({ host }: Pick<ForgeRepository, 'host'>): Promise<string | undefined> {
    const signIn = this.#byHost.get(host);
    if (!signIn) {
      return undefined;
    }
    const leftMs = signIn.expiresAt === undefined ? Infinity : signIn.expiresAt - this.#now();
    if (leftMs > MARGIN_MS || (leftMs > 0 && signIn.refreshToken === undefined)) {
      return signIn.token;
    }
    // A refresh token may be used once: who asks at the same moment waits for the same answer.
    const refreshing =
      this.#refreshing.get(host) ?? this.#refresh(signIn, leftMs > 0).finally(() => this.#refreshing.delete(host));
    this.#refreshing.set(host, refreshing);
    return refreshing;
  }

  /** Resolves when nothing is under way whose loss would end a sign-in, or after so long. */
  async settled(timeoutMs: number): Promise<void> {
    const late = new AbortController();
    const all = Promise.allSettled([...this.#refreshing.values(), this.#writing]);
    await Promise.race([all, setTimeout(timeoutMs, undefined, { signal: late.signal }).catch(() => {})]);
    late.abort();
  }

  async #refresh(signIn: SignIn, isUsable: boolean): Promise<string> {
    const { host, clientId, refreshToken } = signIn;
    if (refreshToken === undefined) {
      throw ended(host);
    }
    await this.#options.confirm();
    const answer = await this.#options.oauth(host).refresh(clientId, refreshToken);
    if (answer.kind === 'given') {
      const { token: _old, expiresAt: _end, refreshToken: _used, ...rest } = signIn;
      const next = { ...rest, ...this.#partsOf(answer.given) };
      await this.#replace(signIn, next);
      return next.token;
    }
    // So it is when an earlier relay was killed before it had stored what GitHub gave it: the old token went with it.
    const isUsedUp = answer.kind === 'refused' && answer.error === USED_UP;
    if (answer.kind === 'refused') {
      const { refreshToken: _refused, ...rest } = signIn;
      this.#options.log.log('warn', 'forge', `GitHub makes no other token for ${host}: ${answer.error}`);
      await this.#replace(signIn, isUsedUp ? { ...rest, expiresAt: this.#now() } : rest);
    }
    if (isUsable && !isUsedUp) {
      return signIn.token;
    }
    throw answer.kind === 'refused' ? ended(host) : notReached(host, answer.reason);
  }

  /** Unless it was signed out, or signed in anew, meanwhile. */
  async #replace(signIn: SignIn, next: SignIn): Promise<void> {
    if (this.#byHost.get(signIn.host) !== signIn) {
      return;
    }
    this.#keep(next);
    // The token is good all the same; when this relay ends before it can be written, a person signs in again.
    await this.#save().catch((error: unknown) => {
      this.#options.log.log('error', 'forge', `The new token could not be stored: ${toError(error).message}`);
    });
  }

  #partsOf({ token, expiresInMs, refreshToken }: Grant): Pick<SignIn, 'token' | 'expiresAt' | 'refreshToken'> {
    return {
      token,
      ...(expiresInMs === undefined ? {} : { expiresAt: this.#now() + expiresInMs }),
      ...(refreshToken === undefined ? {} : { refreshToken }),
    };
  }

  #keep(signIn: SignIn): void {
    this.#byHost.set(signIn.host, signIn);
    this.#tell(signIn.host, signIn);
  }

  #tell(host: string, signIn: SignIn | undefined): void {
    this.#options.onToken(host, signIn?.token);
    this.#options.onToken(`${host} refresh`, signIn?.refreshToken);
  }

  /** One after the other, each with all that is known then. */
  async #save(): Promise<void> {
    const writing = this.#writing.then(async () => {
      const { kept, key } = this.#options;
      await kept.write(seal(await key(), PURPOSE, JSON.stringify([...this.#byHost.values()])));
    });
    this.#writing = writing.catch(() => {});
    return writing;
  }

  async #open(sealed: string): Promise<SignIn[]> {
    const text = unseal(await this.#options.key(), PURPOSE, sealed);
    if (text === undefined) {
      // So it is after a backup was restored, which holds no key.
      this.#options.log.log(
        'warn',
        'forge',
        'The stored sign-ins do not fit the key of this data folder: sign in again',
      );
      return [];
    }
    return z.array(signInSchema).parse(JSON.parse(text));
  }
}

function ended(host: string): SandpiperError {
  return new SandpiperError('forge_unauthorized', `The sign-in to ${host} has ended.`, {
    hint: `Run \`sandpiper login${host === 'github.com' ? '' : ` ${host}`}\`.`,
  });
}

function notReached(host: string, reason: string): SandpiperError {
  return new SandpiperError('forge_unreachable', `${host} could not be asked for another token: ${reason}.`, {
    hint: 'Check the network, then try again.',
  });
}
