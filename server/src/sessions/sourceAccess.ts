import type { Forge, ForgeRepository } from '../forges/forge.ts';
import { parseSource, userInfoOf } from '../git/source.ts';

export interface SourceAccessOptions {
  forges: readonly Forge[];
  /** To read a repository when a call brings none. */
  forgeToken(repository: ForgeRepository): Promise<string | undefined>;
}

/**
 * How the relay is let in at a source that is a private URL. What a call brings is kept in memory only, until the
 * session's mirror has its base: it is in no event, file, log, argument or sandbox. A relay that was restarted in between
 * has its own token, or asks for one by `forge_unauthorized`.
 */
export class SourceAccess {
  readonly #options: SourceAccessOptions;
  readonly #headers = new Map<string, string>();

  constructor(options: SourceAccessOptions) {
    this.#options = options;
  }

  /**
   * The header for a source: what stands in the URL, else the token of its forge. Undefined for a folder, for ssh, which
   * has its own keys, and for a host that is no forge of this relay: a token goes only to the forge that it is for.
   * @param token of the forge; default: the relay's own
   * @throws `not_a_repository`, `forge_unauthorized` for what cannot be a token
   */
  async headerFor(source: string, token?: string): Promise<string | undefined> {
    const parsed = parseSource(source);
    if (parsed.kind === 'path' || parsed.protocol === 'ssh') {
      return undefined;
    }
    const userInfo = userInfoOf(source);
    if (userInfo !== undefined) {
      return `Authorization: Basic ${Buffer.from(userInfo).toString('base64')}`;
    }
    for (const forge of this.#options.forges) {
      const repository = forge.match(parsed.url);
      const usable = repository && (token ?? (await this.#options.forgeToken(repository)));
      if (repository && usable !== undefined) {
        return forge.pushCredential(repository, usable).header;
      }
    }
    return undefined;
  }

  /** Keeps what a call brought until `forget`. */
  keep(sessionId: string, header: string | undefined): void {
    if (header !== undefined) {
      this.#headers.set(sessionId, header);
    }
  }

  /** What was kept for a session, else what the relay has of its own for the source. */
  async headerOf(sessionId: string, source: string): Promise<string | undefined> {
    return this.#headers.get(sessionId) ?? (await this.headerFor(source));
  }

  forget(sessionId: string): void {
    this.#headers.delete(sessionId);
  }
}
