import type * as Sdk from '@daytonaio/sdk';
import { toError } from '../../../../protocol/errors.ts';
import { VendorFailure, type FailureKind } from '../vendors/vendorFailure.ts';

/** The SDK, once it is loaded. */
export type DaytonaSdk = typeof Sdk;

/** What the SDK threw, sorted. The SDK has repeated what never reached the vendor, and what is harmless, twice already. */
export function daytonaFailure(sdk: DaytonaSdk, thrown: unknown): VendorFailure {
  if (thrown instanceof VendorFailure) {
    return thrown;
  }
  const error = toError(thrown);
  const status = error instanceof sdk.DaytonaError ? error.statusCode : undefined;
  const asked = error instanceof sdk.DaytonaError ? Number(error.headers?.['retry-after']) : NaN;
  return new VendorFailure(kindOf(status), error.message, {
    retryAfterMs: Number.isFinite(asked) ? asked * 1000 : undefined,
    cause: error,
  });
}

/** What a status means for a call about one sandbox. */
export function kindOf(status: number | undefined): FailureKind {
  // An answer that never came, or one that went well and was cut.
  if (status === undefined || status < 400) {
    return 'broken';
  }
  switch (status) {
    case 401:
      return 'refused';
    case 404:
      return 'gone';
    // How the toolbox says that its sandbox is stopped: starting it tells.
    case 400:
    case 502:
      return 'asleep';
    case 429:
      return 'limited';
    case 507:
      return 'diskFull';
    default:
      return status >= 500 || status === 408 ? 'busy' : 'impossible';
  }
}
