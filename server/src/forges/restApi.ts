import { SandpiperError, toError } from '../../../protocol/errors.ts';
import { VERSION } from '../core/config.ts';
import type { ForgeHost } from '../core/forgeConfig.ts';
import { isUncertain, reasonOf, redactToken, type RestFailure } from './restFailure.ts';

/** An answer, or why there is none. */
export type RestAnswer = { data: unknown } | { failure: RestFailure };

export interface RestApiOptions {
  host: ForgeHost;
  /** Who it is to the forge: the header in which it sends the token. */
  authorization: string;
  token: string;
  fetch?: typeof fetch;
}

interface RestRequest {
  query?: Readonly<Record<string, string>>;
  body?: object;
}

const REQUEST_TIMEOUT_MS = 30_000;
/** A page of pull requests with long texts is some megabytes. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Requests to a forge's REST interface with one token. Nothing here is ever sent a second time by itself. */
export class RestApi {
  readonly host: ForgeHost;
  readonly #options: RestApiOptions;

  /** @throws `forge_unauthorized` for what cannot be a token */
  constructor(options: RestApiOptions) {
    checkToken(options.token, options.host.host);
    this.host = options.host;
    this.#options = options;
  }

  /** @param path below the address of the API, with its parts encoded */
  async request(
    method: 'GET' | 'POST' | 'PATCH' | 'PUT',
    path: string,
    { query = {}, body }: RestRequest = {},
  ): Promise<RestAnswer> {
    const { host, authorization, fetch: send = fetch } = this.#options;
    const search = new URLSearchParams(query).toString();
    try {
      const response = await send(`${host.apiUrl}${path}${search === '' ? '' : `?${search}`}`, {
        method,
        headers: {
          accept: 'application/json',
          authorization,
          'user-agent': `sandpiper/${VERSION}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        // A token must not follow wherever an answer points.
        redirect: 'manual',
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await readText(response);
      const data = parseJson(text);
      return response.ok ? { data } : { failure: this.#failure(response, data) };
    } catch (error) {
      return { failure: { status: undefined, reason: this.#redact(networkReason(toError(error))) } };
    }
  }

  #failure({ status, headers }: Response, data: unknown): RestFailure {
    const seconds = Number(headers.get('retry-after') ?? undefined);
    return {
      status,
      reason: this.#redact(reasonOf(data)),
      ...(Number.isFinite(seconds) && seconds > 0 ? { retryAfterSeconds: Math.ceil(seconds) } : {}),
    };
  }

  #redact(text: string): string {
    return redactToken(text, this.#options.token);
  }
}

/** Whether the effect of a request that brought this may have happened although it was not confirmed. */
export function mayHaveHappened(answer: RestAnswer): boolean {
  return 'failure' in answer && isUncertain(answer.failure);
}

/** What cannot stand in a header would be quoted by the error of whoever tries. */
export function checkToken(token: string, host: string): void {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new SandpiperError(
      'forge_unauthorized',
      `The token for ${host} has characters that no token has, or is empty.`,
      { hint: 'Copy it again, without spaces and line ends.' },
    );
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) {
      throw new Error('the answer is too long');
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Undefined for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function networkReason(error: Error): string {
  const deepest = error.cause instanceof Error ? (error.cause.cause ?? error.cause) : error;
  return toError(deepest).message.slice(0, 500).replace(/\.$/, '') || error.name;
}
