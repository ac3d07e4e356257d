import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { allowedHosts, decideRequest } from '../../../server/src/http/guard.ts';
import type { GuardPolicy, RequestFacts } from '../../../server/src/http/guard.ts';

const POLICY: GuardPolicy = {
  hosts: allowedHosts('127.0.0.1', 4000, []),
  verify: token => (token === 'right' ? 'relay' : token === 'page' ? 'browser' : undefined),
};
const FACTS: RequestFacts = { hosts: ['localhost:4000'], origin: undefined, token: 'right' };

function status(facts: Partial<RequestFacts>, needsToken = true): number | string {
  const decision = decideRequest({ ...FACTS, ...facts }, POLICY, needsToken);
  return decision.kind === 'refused' ? decision.refusal.status : decision.credential;
}

describe('guard', () => {
  it('checks Host, then Origin, then the token', () => {
    assert.equal(status({}), 'relay');
    assert.equal(status({ token: 'page' }), 'browser');
    assert.equal(status({ token: undefined }, false), 'none');
    assert.equal(status({ hosts: ['evil:4000'], origin: 'http://evil:4000', token: undefined }), 421);
    assert.equal(status({ origin: 'http://evil', token: undefined }), 403);
    assert.equal(status({ token: undefined }), 401);
    assert.equal(status({ token: 'wrong' }), 401);
    assert.equal(status({ hosts: ['LOCALHOST:4000'], origin: 'http://localhost:4000' }), 'relay');
    assert.equal(status({ hosts: [] }), 421);
    assert.equal(status({ hosts: ['localhost:4000', 'localhost:4000'] }), 421);
  });

  it('lets no other host, origin or token in, whatever they are', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, origin) => {
        assert.ok(POLICY.hosts.has(name.toLowerCase()) || status({ hosts: [name] }, false) === 421);
        assert.ok(/^https?:\/\/localhost:4000$/.test(origin) || status({ origin }, false) === 403);
        assert.ok(['right', 'page'].includes(origin) || status({ token: origin }) === 401);
      }),
    );
  });

  it('knows the names of its address, and no wildcard', () => {
    assert.deepEqual([...allowedHosts('0.0.0.0', 4000, ['Relay.example', 'proxy.example:443'])].sort(), [
      '127.0.0.1:4000',
      '[::1]:4000',
      'localhost:4000',
      'proxy.example:443',
      'relay.example',
      'relay.example:4000',
    ]);
    assert.ok(allowedHosts('192.168.1.5', 4000, []).has('192.168.1.5:4000'));
    assert.ok(allowedHosts('fe80::1', 4000, []).has('[fe80::1]:4000'));
    assert.ok(allowedHosts('127.0.0.1', 80, []).has('localhost'));
  });
});
