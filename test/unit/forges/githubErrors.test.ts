import assert from 'node:assert/strict';
import { isUncertain, redact, toFailure, toForgeError } from '../../../server/src/forges/github/githubErrors.ts';

const TOKEN = 'ghs_1234_eyJ+/=';

function answered(status: number, data: unknown, headers: Record<string, string> = {}) {
  return toFailure(Object.assign(new Error(`${TOKEN} refused`), { response: { status, data, headers } }), TOKEN);
}

function codeOf(status: number, data: unknown = {}, headers: Record<string, string> = {}) {
  return toForgeError(answered(status, data, headers), 'acme/app', 'open it').code;
}

describe('githubErrors', () => {
  it('decides by the status', () => {
    assert.deepEqual(
      [401, 403, 404, 409, 410, 422, 429, 500, 502, 503].map(status => codeOf(status)),
      [
        'forge_unauthorized',
        'forge_refused',
        'forge_unauthorized',
        'forge_refused',
        'forge_refused',
        'forge_refused',
        'forge_unreachable',
        'forge_unreachable',
        'forge_unreachable',
        'forge_unreachable',
      ],
    );
    assert.equal(codeOf(403, {}, { 'retry-after': '60' }), 'forge_unreachable');
    assert.equal(codeOf(403, {}, { 'X-RateLimit-Remaining': '0' }), 'forge_unreachable');
    assert.equal(codeOf(403, { message: 'You have exceeded a secondary rate limit.' }), 'forge_unreachable');
  });

  it('is uncertain of what may have happened without an answer', () => {
    assert(isUncertain(answered(502, '')) && isUncertain(toFailure(new TypeError('fetch failed'), TOKEN)));
    assert(!isUncertain(answered(422, {})) && !isUncertain(answered(404, {})));
  });

  it('hands on what GitHub says, whatever its form', () => {
    const reasons = [
      [{ message: 'Validation Failed', errors: [{ field: 'base', code: 'invalid' }] }, 'base is invalid'],
      [{ message: 'Validation Failed', errors: [{ message: 'A' }, 'B'] }, 'A; B'],
      [{ message: 'Repository was archived so is read-only.' }, 'Repository was archived so is read-only'],
      ['<html>', 'it gave no reason'],
      [undefined, 'it gave no reason'],
    ] as const;
    for (const [data, reason] of reasons) {
      assert.equal(answered(422, data).reason, reason);
    }
  });

  it('names the permission that GitHub asks for, and the sign-in of an organization', () => {
    const hint = (headers: Record<string, string>) =>
      toForgeError(answered(403, {}, headers), 'acme/app', 'open it').hint;
    assert.match(hint({ 'x-accepted-github-permissions': 'pull_requests=write' }) ?? '', /pull requests=write/);
    assert.match(
      hint({ 'x-github-sso': 'required; url=https://github.com/orgs/acme/sso?x=1' }) ?? '',
      /orgs\/acme\/sso/,
    );
    assert.match(hint({}) ?? '', /Pull requests: write/);
  });

  it('shows the token in no form', () => {
    const basic = Buffer.from(`x-access-token:${TOKEN}`).toString('base64');
    const text = `a ${TOKEN} b ${encodeURIComponent(TOKEN)} c ${basic} d`;
    assert.equal(redact(text, TOKEN), 'a [redacted] b [redacted] c [redacted] d');
    const failure = answered(422, { message: text }, { 'x-github-sso': `url=https://x/?t=${TOKEN}` });
    assert(!JSON.stringify(failure).includes(TOKEN) && !JSON.stringify(failure).includes(basic));
  });
});
