import { toError } from '../../../../protocol/errors.ts';
import { fieldIn } from '../vendors/fieldIn.ts';
import { VendorFailure, type FailureKind } from '../vendors/vendorFailure.ts';
import type { KubernetesSdk } from './kubernetesSdk.ts';

const RIGHTS = 'Give the account of the relay the rights that docs/kubernetes.md lists for its namespace.';
const ROOM =
  'End other sessions, or raise the quota of the namespace: kubectl describe quota. Without one the account of the relay may be limited elsewhere.';

/** What the SDK threw, sorted. It repeats nothing by itself. */
export function kubernetesFailure(sdk: KubernetesSdk, thrown: unknown): VendorFailure {
  if (thrown instanceof VendorFailure) {
    return thrown;
  }
  if (!(thrown instanceof sdk.ApiException)) {
    const error = toError(thrown);
    return new VendorFailure('broken', error.message, { cause: error });
  }
  const body: unknown = thrown.body;
  const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? '');
  // The exception itself has every header in its words.
  return statusFailure(thrown.code, text, thrown.headers['retry-after']);
}

/** Of something that could not be made: passes where its name is taken, and throws what else it is. */
export function requireTaken(sdk: KubernetesSdk, thrown: unknown, namespace: string): void {
  const status = thrown instanceof sdk.ApiException ? thrown.code : undefined;
  if (status === 404) {
    throw new VendorFailure('impossible', `the namespace "${namespace}" does not exist`, {
      hint: 'Make it, or name another one with SANDPIPER_KUBERNETES_NAMESPACE.',
    });
  }
  if (status !== 409) {
    throw thrown;
  }
}

/** What an answer means, by its status and the Status object in its body. */
export function statusFailure(status: number, body: string, retryAfter: string | undefined): VendorFailure {
  const message = fieldIn(body, 'message') ?? (body.trim().slice(0, 200) || `status ${status}`);
  const asked = Number(retryAfter);
  return new VendorFailure(kindOf(status, body), message, {
    retryAfterMs: retryAfter !== undefined && Number.isFinite(asked) ? asked * 1000 : undefined,
    ...hintFor(status, body),
  });
}

function kindOf(status: number, body: string): FailureKind {
  switch (status) {
    case 401:
      return 'refused';
    case 403:
      return isAdmission(body) ? 'impossible' : 'refused';
    case 404:
      return 'gone';
    case 429:
      return 'limited';
    // A list that took too long to read on: it begins anew.
    case 410:
    case 408:
      return 'broken';
    default:
      return status >= 500 ? 'busy' : status < 400 ? 'broken' : 'impossible';
  }
}

function hintFor(status: number, body: string): { hint?: string } {
  if (status !== 403) {
    return {};
  }
  return { hint: isQuota(body) ? ROOM : isAdmission(body) ? 'Ask who runs the cluster to allow such pods.' : RIGHTS };
}

/**
 * Two things are called forbidden: what an account may not do, and what a quota or a policy of the cluster does not let into
 * it. The API has no other mark for the first than its words.
 */
function isAdmission(body: string): boolean {
  return fieldIn(body, 'reason') === 'Forbidden' && !/User ".*" cannot /.test(fieldIn(body, 'message') ?? '');
}

/** Quotas have no reason of their own in the API. */
function isQuota(body: string): boolean {
  return /exceeded quota|failed quota|Maximum .* usage per/i.test(fieldIn(body, 'message') ?? '');
}
