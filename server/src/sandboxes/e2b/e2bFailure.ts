import { toError } from '../../../../protocol/errors.ts';
import { VendorFailure } from '../vendors/vendorFailure.ts';
import type { E2bSdk } from './e2bSdk.ts';

/** What the SDK threw, sorted. The SDK has repeated what was limited already, as often as it was told to. */
export function e2bFailure(sdk: E2bSdk, thrown: unknown): VendorFailure {
  if (thrown instanceof VendorFailure) {
    return thrown;
  }
  const error = toError(thrown);
  const fail = (kind: VendorFailure['kind']): VendorFailure => new VendorFailure(kind, error.message, { cause: error });
  if (error instanceof sdk.SandboxNotFoundError) {
    return fail('gone');
  }
  // The proxy before a sandbox gives 502 for one that is paused and for one that is gone: waking it tells which.
  if (error instanceof sdk.TimeoutError) {
    return fail('asleep');
  }
  if (error instanceof sdk.AuthenticationError) {
    return fail('refused');
  }
  if (error instanceof sdk.RateLimitError) {
    return fail('limited');
  }
  if (error instanceof sdk.ServiceBusyError) {
    return fail('busy');
  }
  if (error instanceof sdk.NotEnoughSpaceError) {
    return fail('diskFull');
  }
  if (error instanceof sdk.InvalidArgumentError || error instanceof sdk.NotFoundError) {
    return fail('impossible');
  }
  const status = error instanceof sdk.SandboxError ? error.statusCode : undefined;
  if (status !== undefined && status >= 400 && status < 500) {
    return fail('impossible');
  }
  return fail(status === undefined ? 'broken' : 'busy');
}
