import assert from 'node:assert/strict';
import { statusFailure } from '../../../server/src/sandboxes/kubernetes/kubernetesFailure.ts';

const forbidden = (message: string) =>
  statusFailure(403, JSON.stringify({ kind: 'Status', reason: 'Forbidden', message }), undefined);

describe('what a cluster answers', () => {
  it('is told apart by what is to be done about it', () => {
    const kinds = Object.entries({
      401: 'refused',
      404: 'gone',
      410: 'broken',
      422: 'impossible',
      429: 'limited',
      503: 'busy',
    });
    for (const [status, kind] of kinds) {
      assert.equal(statusFailure(Number(status), '', undefined).kind, kind, status);
    }
  });

  it('is waited for as long as it asks', () => {
    assert.equal(statusFailure(429, '', '7').retryAfterMs, 7000);
    assert.equal(statusFailure(429, '', undefined).retryAfterMs, undefined);
    assert.equal(statusFailure(429, '', 'Wed, 21 Oct 2026 07:28:00 GMT').retryAfterMs, undefined);
  });

  it('names missing rights, a full quota, and what the cluster does not let in, each with what to do', () => {
    const rights = forbidden('pods is forbidden: User "relay" cannot create resource "pods" in API group ""');
    assert.equal(rights.kind, 'refused');
    assert.match(rights.hint ?? '', /rights/);
    const quota = forbidden(
      'pods "a" is forbidden: exceeded quota: all, requested: pods=1, used: pods=2, limited: pods=2',
    );
    assert.equal(quota.kind, 'impossible');
    assert.match(quota.hint ?? '', /quota/);
    for (const message of [
      'pods "a" is forbidden: violates PodSecurity "restricted:latest": seccompProfile',
      'pods "a" is forbidden: unable to validate against any security context constraint',
      'admission webhook "policy.example" denied the request: no',
    ]) {
      const refusal = forbidden(message);
      assert.equal(refusal.kind, 'impossible', message);
      assert.match(refusal.hint ?? '', /who runs the cluster/);
    }
  });

  it('need not come from the cluster', () => {
    const proxy = statusFailure(403, '<html>no</html>', undefined);
    assert.deepEqual([proxy.kind, proxy.message], ['refused', '<html>no</html>']);
    assert.equal(statusFailure(502, '', undefined).message, 'status 502');
  });
});
