import { SandpiperError } from '../../../protocol/errors.ts';
import type { ForgeRepository } from './forge.ts';

/** A failed request, freed of everything that could hold the token. */
export interface RestFailure {
  /** Undefined when no answer came. */
  status: number | undefined;
  /** The forge's own words, or the network's. */
  reason: string;
  retryAfterSeconds?: number;
}

/** Whether an effect may have happened although it was not confirmed. */
export function isUncertain({ status }: RestFailure): boolean {
  return status === undefined || status >= 500;
}

/**
 * A failure as an error fit for a person. The forge is called by its host, which is right whatever runs there.
 * @param what the request in words, as in "codeberg.org refused to <what>"
 * @param needs what the token must be allowed, as a sentence
 */
export function toRestError(
  { status, reason, retryAfterSeconds: seconds }: RestFailure,
  { host, owner, name }: ForgeRepository,
  { what, needs, signIn }: { what: string; needs: string; signIn: string },
): SandpiperError {
  if (status === undefined) {
    return new SandpiperError('forge_unreachable', `${host} could not be reached to ${what}: ${reason}.`, {
      hint: 'Check the network, then try again; nothing is done twice.',
    });
  }
  const details = { status };
  if (status === 429 || (status === 403 && seconds !== undefined)) {
    return new SandpiperError('forge_unreachable', `${host} asks to slow down and did not ${what}.`, {
      hint: seconds === undefined ? 'Try again in a minute.' : `Try again in ${seconds} seconds.`,
      details: { ...details, ...(seconds === undefined ? {} : { retryAfterMs: seconds * 1000 }) },
    });
  }
  if (status >= 500) {
    return new SandpiperError('forge_unreachable', `${host} failed to ${what} (status ${status}).`, {
      hint: 'Try again in a moment; nothing is done twice.',
      details,
    });
  }
  switch (status) {
    case 401:
      return new SandpiperError(
        'forge_unauthorized',
        `${host} does not accept the token: it is wrong or has expired.`,
        {
          hint: signIn,
          details,
        },
      );
    case 404:
      return new SandpiperError('forge_unauthorized', `${host} does not show ${owner}/${name} to this token.`, {
        hint: `Check the name, and that the token has access to the repository. ${needs}`,
        details,
      });
    case 403:
      return new SandpiperError('forge_refused', `${host} refused to ${what}: ${reason}.`, { hint: needs, details });
    default:
      return new SandpiperError(
        'forge_refused',
        status < 400
          ? `${owner}/${name} is not at this address of ${host} any more.`
          : `${host} refused to ${what}: ${reason}.`,
        {
          hint:
            status < 400
              ? 'It was moved or renamed: give the remote its new address.'
              : `Correct what ${host} names, then try again.`,
          details,
        },
      );
  }
}

/** What answered at the address of a forge, and is none. */
export function notThisForge(host: string): SandpiperError {
  return new SandpiperError('forge_unreachable', `What answered at ${host} is not that forge: it makes no sense.`, {
    hint: 'Check the address of this host, and whether a proxy or a login page stands before it.',
  });
}

/** The forge's own words, wherever in an answer it puts them. */
export function reasonOf(data: unknown): string {
  const { message, errors, error, error_description: description } = record(data);
  const said = [description ?? message ?? error, errors].flatMap(textsOf);
  return [...new Set(said)].join('; ').slice(0, 2000).replace(/\.$/, '') || 'it gave no reason';
}

/** Replaces a token, also in the forms that it takes in URLs and headers. */
export function redactToken(text: string, token: string): string {
  const basic = Buffer.from(`oauth2:${token}`).toString('base64');
  return [token, encodeURIComponent(token), basic, Buffer.from(token).toString('base64')]
    .filter(form => form !== '')
    .reduce((rest, form) => rest.replaceAll(form, '[redacted]'), text);
}

/** Of a text, a list of texts, or texts by the field that they are about. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') {
    return value === '' ? [] : [value];
  }
  if (Array.isArray(value)) {
    return value.flatMap(textsOf);
  }
  return Object.entries(record(value)).flatMap(([field, said]) =>
    textsOf(said).map(text => (field === 'base' ? text : `${field} ${text}`)),
  );
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
