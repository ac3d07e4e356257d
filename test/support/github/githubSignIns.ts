import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What the OAuth device flow of an emulated GitHub does, and what it was asked. */
export interface SignInOptions {
  /** What GitHub wants between two questions. */
  intervalMs: number;
  codeMs: number;
  /** Undefined: tokens do not end, and there is nothing to refresh them with, as of an OAuth App. */
  tokenMs: number | undefined;
}

interface Code {
  userCode: string;
  state: 'pending' | 'approved' | 'denied' | 'used';
  endsAt: number;
  /** Earlier than this it must not be asked for again. */
  notBefore: number;
  intervalMs: number;
}

interface Answer {
  status: number;
  body: object;
}

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** Timers and the way here. */
const EARLY_MS = 30;

export class GithubSignIns {
  readonly clientId = 'Iv23liSandpiperTests';
  options: SignInOptions = { intervalMs: 100, codeMs: 900_000, tokenMs: undefined };
  deviceFlowEnabled = true;
  /** Words that the next questions for a token are answered with, whatever is so. */
  readonly nextErrors: string[] = [];
  readonly #codes = new Map<string, Code>();
  readonly #tokens = new Map<string, { endsAt: number }>();
  readonly #refreshTokens = new Map<string, string>();
  /** Every token and refresh token that was ever given. */
  readonly given: string[] = [];

  /** What the person at the page does. */
  enter(userCode: string, what: 'approved' | 'denied'): void {
    const code = [...this.#codes.values()].find(one => one.userCode === userCode && one.state === 'pending');
    if (!code) {
      throw new Error(`${userCode} is no code that waits.`);
    }
    code.state = what;
  }

  /** The token that was given last, and counts. */
  get current(): string | undefined {
    return [...this.#tokens.keys()].findLast(token => this.isValid(token));
  }

  isValid(token: string): boolean {
    return (this.#tokens.get(token)?.endsAt ?? 0) > Date.now();
  }

  /** A person takes the authorization back. */
  revoke(): void {
    this.#tokens.clear();
    this.#refreshTokens.clear();
  }

  answer(path: string, query: string, headers: IncomingHttpHeaders, body: string): Answer & { problems: string[] } {
    const form = Object.fromEntries(new URLSearchParams(body));
    const isCode = path === '/login/device/code';
    const problems = [
      ...(query === '' ? [] : [`sign-in: ${query} stands in the address`]),
      ...(headers.accept === 'application/json' ? [] : ['sign-in: accept is not application/json']),
      ...(headers.authorization === undefined ? [] : ['sign-in: a token is sent along']),
      ...((headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded') ? [] : ['sign-in: no form']),
      ...unknownFields(form, isCode ? ['client_id', 'scope'] : fieldsOf(form['grant_type'])),
    ];
    if (form['client_id'] !== this.clientId) {
      return {
        status: isCode ? 404 : 200,
        body: refusal(isCode ? 'Not Found' : 'incorrect_client_credentials'),
        problems,
      };
    }
    if (!this.deviceFlowEnabled) {
      return { status: 400, body: refusal('device_flow_disabled'), problems };
    }
    return { ...(isCode ? this.#code() : this.#token(form, problems)), problems };
  }

  #code(): Answer {
    const { intervalMs, codeMs } = this.options;
    const userCode = randomBytes(4)
      .toString('hex')
      .toUpperCase()
      .replace(/^(....)/, '$1-');
    const deviceCode = randomBytes(20).toString('hex');
    const now = Date.now();
    this.#codes.set(deviceCode, {
      userCode,
      state: 'pending',
      endsAt: now + codeMs,
      notBefore: now + intervalMs,
      intervalMs,
    });
    const body = {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: 'https://github.com/login/device',
      expires_in: codeMs / 1000,
      interval: intervalMs / 1000,
    };
    return { status: 200, body };
  }

  #token(form: Record<string, string>, problems: string[]): Answer {
    if (form['grant_type'] === 'refresh_token') {
      const token = this.#refreshTokens.get(form['refresh_token'] ?? '');
      if (token === undefined) {
        return { status: 200, body: refusal('bad_refresh_token') };
      }
      // Both may be used no more.
      this.#refreshTokens.delete(form['refresh_token'] ?? '');
      this.#tokens.delete(token);
      return this.#give();
    }
    if (form['grant_type'] !== DEVICE_GRANT) {
      return { status: 200, body: refusal('unsupported_grant_type') };
    }
    const code = this.#codes.get(form['device_code'] ?? '');
    if (!code) {
      return { status: 200, body: refusal('incorrect_device_code') };
    }
    return this.#askedFor(code, problems);
  }

  #askedFor(code: Code, problems: string[]): Answer {
    const now = Date.now();
    if (now + EARLY_MS < code.notBefore) {
      problems.push(`sign-in: asked ${code.notBefore - now} ms too early`);
    }
    const word = this.nextErrors.shift();
    code.intervalMs *= word === 'slow_down' ? 3 : 1;
    code.notBefore = now + code.intervalMs;
    if (word !== undefined) {
      const interval = word === 'slow_down' ? { interval: code.intervalMs / 1000 } : {};
      return { status: 200, body: { ...refusal(word), ...interval } };
    }
    if (code.endsAt < now || code.state === 'used') {
      return { status: 200, body: refusal(code.state === 'used' ? 'incorrect_device_code' : 'expired_token') };
    }
    if (code.state !== 'approved') {
      return { status: 200, body: refusal(code.state === 'denied' ? 'access_denied' : 'authorization_pending') };
    }
    code.state = 'used';
    return this.#give();
  }

  #give(): Answer {
    const { tokenMs } = this.options;
    const token = `${tokenMs === undefined ? 'gho' : 'ghu'}_${randomBytes(18).toString('hex')}`;
    this.#tokens.set(token, { endsAt: Date.now() + (tokenMs ?? Infinity) });
    this.given.push(token);
    const body = { access_token: token, token_type: 'bearer', scope: tokenMs === undefined ? 'repo' : '' };
    if (tokenMs === undefined) {
      return { status: 200, body };
    }
    const refreshToken = `ghr_${randomBytes(36).toString('hex')}`;
    this.#refreshTokens.set(refreshToken, token);
    this.given.push(refreshToken);
    const ends = { expires_in: tokenMs / 1000, refresh_token_expires_in: 15_811_200 };
    return { status: 200, body: { ...body, ...ends, refresh_token: refreshToken } };
  }
}

function fieldsOf(grant: string | undefined): string[] {
  return ['client_id', 'grant_type', grant === 'refresh_token' ? 'refresh_token' : 'device_code'];
}

function unknownFields(form: Record<string, string>, known: readonly string[]): string[] {
  const missing = known.filter(name => form[name] === undefined).map(name => `sign-in: ${name} is missing`);
  const unknown = Object.keys(form).filter(name => !known.includes(name));
  return [...missing, ...unknown.map(name => `sign-in: ${name} is unknown`)];
}

function refusal(word: string): object {
  return { error: word, error_description: `About ${word}.`, error_uri: 'https://docs.github.com/apps' };
}
