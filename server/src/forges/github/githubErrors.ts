import { SandpiperError, toError } from '../../../../protocol/errors.ts';

/** A failed request, freed of everything that could hold the token. */
export interface GithubFailure {
  /** Undefined when no answer came. */
  status: number | undefined;
  /** GitHub's own words, or the network's. */
  reason: string;
  headers: Readonly<Record<string, string>>;
}

const NEEDED = 'Contents: write and Pull requests: write';

/** What a request threw, without the token in any form that it was sent in. */
export function toFailure(thrown: unknown, token: string): GithubFailure {
  const error = toError(thrown);
  const response = 'response' in error ? record(error.response) : {};
  const status = response['status'];
  if (typeof status !== 'number') {
    return { status: undefined, reason: redact(networkReason(error), token), headers: {} };
  }
  const headers = Object.entries(record(response['headers'])).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name.toLowerCase(), redact(value, token)] as const] : [],
  );
  return { status, reason: redact(githubReason(response['data']), token), headers: Object.fromEntries(headers) };
}

/** Whether an effect may have happened although it was not confirmed. */
export function isUncertain({ status }: GithubFailure): boolean {
  return status === undefined || status >= 500;
}

/**
 * A failure as an error fit for a person.
 * @param what the request in words, as in "GitHub refused to <what>"
 */
export function toForgeError(failure: GithubFailure, repository: string, what: string): SandpiperError {
  const { status, reason, headers } = failure;
  if (status === undefined) {
    return new SandpiperError('forge_unreachable', `GitHub could not be reached to ${what}: ${reason}.`, {
      hint: 'Check the network, then try again; nothing is done twice.',
    });
  }
  if (status >= 500) {
    return new SandpiperError('forge_unreachable', `GitHub failed to ${what} (status ${status}).`, {
      hint: 'Try again in a moment; nothing is done twice.',
      details: { status },
    });
  }
  if (isRateLimit(failure)) {
    const seconds = retryAfterSeconds(headers);
    return new SandpiperError('forge_unreachable', `GitHub asks to slow down and did not ${what}.`, {
      hint: seconds === undefined ? 'Try again in a minute.' : `Try again in ${seconds} seconds.`,
      details: { status, ...(seconds === undefined ? {} : { retryAfterMs: seconds * 1000 }) },
    });
  }
  if (status === 401) {
    return new SandpiperError('forge_unauthorized', 'GitHub does not accept the token: it is wrong or has expired.', {
      hint: 'Sign in to GitHub again, or give the relay another token.',
      details: { status },
    });
  }
  if (status === 404) {
    return new SandpiperError('forge_unauthorized', `GitHub does not show ${repository} to this token.`, {
      hint: `Check the name, and that the token has access to the repository with ${NEEDED}.`,
      details: { status },
    });
  }
  return new SandpiperError('forge_refused', `GitHub refused to ${what}: ${reason}.`, {
    hint: status === 403 ? permissionHint(headers) : 'Correct what GitHub names, then try again.',
    details: { status },
  });
}

/** Replaces a token, also in the forms that it takes in URLs and headers. */
export function redact(text: string, token: string): string {
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  return [token, encodeURIComponent(token), basic, Buffer.from(token).toString('base64')]
    .filter(form => form !== '')
    .reduce((rest, form) => rest.replaceAll(form, '[redacted]'), text);
}

function isRateLimit({ status, reason, headers }: GithubFailure): boolean {
  if (status === 429) {
    return true;
  }
  // The secondary limit is a 403 like any other, but for this header or, without it, its text.
  const limited = 'retry-after' in headers || headers['x-ratelimit-remaining'] === '0';
  return status === 403 && (limited || /rate limit/i.test(reason));
}

function retryAfterSeconds(headers: Readonly<Record<string, string>>): number | undefined {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : undefined;
}

function permissionHint(headers: Readonly<Record<string, string>>): string {
  const [, signIn] = /url=(\S+)/.exec(headers['x-github-sso'] ?? '') ?? [];
  if (signIn !== undefined) {
    return `The organization wants this token to be authorized for single sign-on: ${signIn}`;
  }
  const accepted = headers['x-accepted-github-permissions'];
  return `The token needs ${accepted === undefined ? NEEDED : accepted.replaceAll('_', ' ')} on this repository.`;
}

/** What GitHub found wrong with each field, or else its message. */
function githubReason(data: unknown): string {
  const { message, errors } = record(data);
  const faults = (Array.isArray(errors) ? errors : []).map(faultText).filter(text => text !== '');
  const reasons = faults.length > 0 ? faults : [firstText(message)];
  return reasons.join('; ').slice(0, 2000).replace(/\.$/, '') || 'it gave no reason';
}

function faultText(fault: unknown): string {
  const { message, field, resource, code } = record(fault);
  return firstText(fault, message) || `${firstText(field, resource)} is ${firstText(code)}`.trim();
}

function firstText(...values: unknown[]): string {
  return values.find((value): value is string => typeof value === 'string') ?? '';
}

function networkReason(error: Error): string {
  const deepest = error.cause instanceof Error ? (error.cause.cause ?? error.cause) : error;
  return toError(deepest).message.slice(0, 500).replace(/\.$/, '') || error.name;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
