import { z } from 'zod';
import { VERSION } from '../../core/config.ts';
import { API_VERSION } from './githubClients.ts';
import { toFailure } from './githubErrors.ts';

/* What is asked of GitHub to sign somebody in: RFC 8628, and the refreshing of tokens. No secret of an App is needed. */

export interface DeviceCode {
  deviceCode: string;
  userCode: string;
  verificationUri: string;
  expiresInMs: number;
  intervalMs: number;
}

/** What GitHub gave. Times are milliseconds from the answer. */
export interface Grant {
  token: string;
  expiresInMs?: number;
  refreshToken?: string;
}

/** `refused` with GitHub's own word for it; `noAnswer` when it may be asked again. */
export type OauthAnswer<Given> =
  | { kind: 'given'; given: Given }
  | { kind: 'refused'; error: string; description: string; intervalMs?: number }
  | { kind: 'noAnswer'; reason: string };

/** An App of GitHub's own kind leaves it aside: it has permissions. */
const SCOPE = 'repo';
const DEFAULT_INTERVAL_SECONDS = 5;

/** Numbers come as texts, too. */
const secondsSchema = z.coerce.number().nonnegative();
const codeSchema = z.object({
  device_code: z.string().min(1),
  user_code: z.string().min(1).max(100),
  verification_uri: z.url({ protocol: /^https?$/ }).max(500),
  expires_in: secondsSchema,
  interval: secondsSchema.default(DEFAULT_INTERVAL_SECONDS),
});
const grantSchema = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  expires_in: secondsSchema.optional(),
  refresh_token: z.string().min(1).optional(),
});
const refusalSchema = z.object({
  error: z.string(),
  error_description: z.string().default(''),
  interval: secondsSchema.optional(),
});
const userSchema = z.object({ login: z.string() });

export class GithubOauth {
  readonly #webUrl: string;
  readonly #apiUrl: string;
  readonly #fetch: typeof fetch;

  /** @param webUrl where people see this GitHub */
  constructor(options: { webUrl: string; apiUrl: string; fetch: typeof fetch }) {
    this.#webUrl = options.webUrl;
    this.#apiUrl = options.apiUrl;
    this.#fetch = options.fetch;
  }

  async deviceCode(clientId: string): Promise<OauthAnswer<DeviceCode>> {
    const answer = await this.#post('/login/device/code', { client_id: clientId, scope: SCOPE }, codeSchema);
    return mapGiven(answer, given => ({
      deviceCode: given.device_code,
      userCode: given.user_code,
      verificationUri: given.verification_uri,
      expiresInMs: given.expires_in * 1000,
      intervalMs: given.interval * 1000,
    }));
  }

  async tokenOfCode(clientId: string, deviceCode: string): Promise<OauthAnswer<Grant>> {
    return this.#token({
      client_id: clientId,
      device_code: deviceCode,
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    });
  }

  /** Both the old token and the refresh token are worth nothing after it. */
  async refresh(clientId: string, refreshToken: string): Promise<OauthAnswer<Grant>> {
    return this.#token({ client_id: clientId, grant_type: 'refresh_token', refresh_token: refreshToken });
  }

  /** Whose token it is; undefined when that cannot be asked. */
  async loginOf(token: string): Promise<string | undefined> {
    try {
      const answer = await this.#fetch(`${this.#apiUrl}/user`, {
        headers: {
          accept: 'application/vnd.github+json',
          authorization: `Bearer ${token}`,
          'user-agent': `sandpiper/${VERSION}`,
          'x-github-api-version': API_VERSION,
        },
        redirect: 'error',
      });
      return userSchema.safeParse(await answer.json()).data?.login;
    } catch {
      return undefined;
    }
  }

  async #token(form: Record<string, string>): Promise<OauthAnswer<Grant>> {
    const answer = await this.#post('/login/oauth/access_token', form, grantSchema);
    return mapGiven(answer, given => ({
      token: given.access_token,
      ...(given.expires_in === undefined ? {} : { expiresInMs: given.expires_in * 1000 }),
      ...(given.refresh_token === undefined ? {} : { refreshToken: given.refresh_token }),
    }));
  }

  async #post<Given>(
    path: string,
    form: Record<string, string>,
    schema: z.ZodType<Given>,
  ): Promise<OauthAnswer<Given>> {
    let status: number;
    let body: unknown;
    try {
      const answer = await this.#fetch(`${this.#webUrl}${path}`, {
        method: 'POST',
        headers: { accept: 'application/json', 'user-agent': `sandpiper/${VERSION}` },
        body: new URLSearchParams(form),
        redirect: 'error',
      });
      status = answer.status;
      body = await answer.json();
    } catch (error) {
      return { kind: 'noAnswer', reason: toFailure(error, '').reason };
    }
    // A refusal has the status 200, too.
    const refusal = refusalSchema.safeParse(body).data;
    if (refusal && status < 500 && status !== 429) {
      const { error, error_description: description, interval } = refusal;
      return {
        kind: 'refused',
        error: status === 404 ? 'incorrect_client_credentials' : error,
        description,
        ...(interval === undefined ? {} : { intervalMs: interval * 1000 }),
      };
    }
    const given = status === 200 ? schema.safeParse(body).data : undefined;
    return given === undefined
      ? { kind: 'noAnswer', reason: `GitHub answered with status ${status}` }
      : { kind: 'given', given };
  }
}

function mapGiven<From, To>(answer: OauthAnswer<From>, map: (given: From) => To): OauthAnswer<To> {
  return answer.kind === 'given' ? { kind: 'given', given: map(answer.given) } : answer;
}
