import assert from 'node:assert/strict';
import { SandpiperError } from '../../protocol/errors.ts';
import type { ErrorCode } from '../../protocol/errors.ts';

/** The promise fails with a SandpiperError of this code. */
export async function rejects(promise: Promise<unknown>, code: ErrorCode): Promise<SandpiperError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SandpiperError, `expected ${code}, got ${String(error)}`);
  assert.equal(error.code, code, error.message);
  return error;
}
