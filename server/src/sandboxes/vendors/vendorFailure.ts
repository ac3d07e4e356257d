import { SandpiperError } from '../../../../protocol/errors.ts';

/*
 * What can go wrong between the relay and a vendor, sorted by what is to be done about it. Providers make these of their
 * SDK's errors by class and status, never by the words of a message.
 */

export const FAILURE_KINDS = [
  /** The sandbox does not exist. */
  'gone',
  /** It is paused or stopped and must be brought back before it can do anything. */
  'asleep',
  /** The vendor takes no more until some time has passed. */
  'limited',
  /** The vendor is there and cannot. */
  'busy',
  /** No answer, or half of one: whether it was done is not known. */
  'broken',
  /** The key is wrong or may not do this. */
  'refused',
  /** There is no such template, region or the like, or the account has no more room. */
  'impossible',
  'diskFull',
] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

export class VendorFailure extends Error {
  override readonly name = 'VendorFailure';
  readonly kind: FailureKind;
  /** What the vendor asked for. */
  readonly retryAfterMs: number | undefined;
  /** What to do about it, where that can be said better than for the whole kind. */
  readonly hint: string | undefined;

  constructor(
    kind: FailureKind,
    message: string,
    options: { retryAfterMs?: number | undefined; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
    this.hint = options.hint;
  }
}

export interface VendorNames {
  /** As people know it. */
  vendor: string;
  /** The setting that holds the key. */
  keySetting: string;
}

/** For whoever called the provider. */
export function toSandboxError(failure: VendorFailure, names: VendorNames): SandpiperError {
  const error = errorOfKind(failure, names);
  const { code, message } = error;
  return failure.hint === undefined ? error : new SandpiperError(code, message, { hint: failure.hint, cause: failure });
}

function errorOfKind(failure: VendorFailure, { vendor, keySetting }: VendorNames): SandpiperError {
  const said = failure.message.slice(0, 300);
  const cause = failure;
  switch (failure.kind) {
    case 'gone':
      return new SandpiperError('sandbox_gone', `The sandbox no longer exists at ${vendor}.`, { cause });
    case 'asleep':
      return new SandpiperError('sandbox_unavailable', `The sandbox at ${vendor} sleeps and does not wake: ${said}`, {
        hint: `Look at it in the dashboard of ${vendor}, or continue elsewhere.`,
        cause,
      });
    case 'limited':
      return new SandpiperError('sandbox_unavailable', `${vendor} takes no more requests at this moment: ${said}`, {
        hint: `Wait a little, end other sandboxes, or raise the limits of your ${vendor} account.`,
        cause,
      });
    case 'busy':
    case 'broken':
      return new SandpiperError('sandbox_unavailable', `${vendor} does not answer as it should: ${said}`, {
        hint: `Try again in a while, or use another kind of sandbox.`,
        cause,
      });
    case 'refused':
      return new SandpiperError('sandbox_unavailable', `${vendor} refuses the key of this relay: ${said}`, {
        hint: `Set a valid key in ${keySetting} of the relay.`,
        cause,
      });
    case 'impossible':
      return new SandpiperError('sandbox_unavailable', `${vendor} cannot make such a sandbox: ${said}`, {
        hint: `Check the settings for ${vendor}, and what your account there allows.`,
        cause,
      });
    case 'diskFull':
      return new SandpiperError('disk_full', `The disk of the sandbox at ${vendor} is full.`, {
        hint: 'Remove files in it, or give it more room.',
        cause,
      });
  }
}
