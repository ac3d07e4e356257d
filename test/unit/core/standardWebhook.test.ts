import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'mocha';
import { isSignedBy, readSignedHeaders, toSignedSecret } from '../../../server/src/core/standardWebhook.ts';

const NOW = 1_674_087_231_000;
const BODY = Buffer.from('{"test": 2432232314}');

describe('signatures of Standard Webhooks', () => {
  const read = (signature: string, more: Record<string, string> = {}) =>
    readSignedHeaders(
      {
        'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        'webhook-timestamp': '1614265330',
        'webhook-signature': signature,
        ...more,
      },
      1_614_265_330_000,
    );

  it('are those of the scheme: its published example', () => {
    const secret = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64').toString('base64url');
    assert.equal(toSignedSecret(secret), 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const published = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
    assert.equal(isSignedBy(secret, read(published), BODY), true);
    assert.equal(isSignedBy(secret, read(published), Buffer.from('{"test": 2432232315}')), false);
    assert.equal(isSignedBy(secret, read(published, { 'webhook-id': 'msg_2' }), BODY), false);
    assert.equal(isSignedBy(secret, read(published, { 'webhook-timestamp': '1614265331' }), BODY), false);
    assert.equal(isSignedBy(Buffer.alloc(32).toString('base64url'), read(published), BODY), false);
    const other = `v1,${Buffer.alloc(32).toString('base64')}`;
    assert.equal(isSignedBy(secret, read(`${other} v1a,x ${published}`), BODY), true);
    assert.equal(isSignedBy(secret, read(other), BODY), false);
  });

  it('are refused when they are old, from the future, missing or of another form', () => {
    const at =
      (seconds: number | string, signature = `v1,${createHmac('sha256', 'x').digest('base64')}`) =>
      () =>
        readSignedHeaders(
          { 'webhook-id': 'a', 'webhook-timestamp': String(seconds), 'webhook-signature': signature },
          NOW,
        );
    const now = NOW / 1000;
    for (const seconds of [now, now - 299, now + 299]) {
      assert.equal(at(seconds)().signatures.length, 1);
    }
    for (const wrong of [now - 301, now + 301]) {
      assert.throws(at(wrong), { code: 'unauthorized', message: /five minutes/ });
    }
    for (const wrong of ['', 'now', '1e9', '-1', ' 1674087231', '0x63c88dff']) {
      assert.throws(at(wrong), { code: 'invalid_request' });
    }
    for (const wrong of [
      '',
      'v1,',
      'v1,short',
      `v0,${'A'.repeat(43)}=`,
      `v1,${'A'.repeat(44)}`,
      `v1=${'A'.repeat(43)}=`,
    ]) {
      assert.throws(at(now, wrong), { code: 'unauthorized' });
    }
    assert.throws(() => read(`v1,${'A'.repeat(43)}=`, { 'webhook-id': 'a.1' }), { code: 'invalid_request' });
    assert.equal(
      at(
        now,
        Array<string>(50)
          .fill(`v1,${'A'.repeat(43)}=`)
          .join(' '),
      )().signatures.length,
      10,
    );
  });
});
