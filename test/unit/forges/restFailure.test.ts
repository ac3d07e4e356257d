import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it } from 'mocha';
import { RestApi } from '../../../server/src/forges/restApi.ts';
import { reasonOf, redactToken, toRestError } from '../../../server/src/forges/restFailure.ts';

const REPOSITORY = { forge: 'gitlab', host: 'git.example', owner: 'group/sub', name: 'app' };
const WORDS = { what: 'open it', needs: 'The token needs more.', signIn: 'Sign in.' };
const TOKEN = 'glpat-1234_+/=';

describe('a failure of a forge', () => {
  it('is told by its status, with the name of the host', () => {
    const codes = [301, 400, 401, 403, 404, 409, 422, 429, 500, undefined].map(status => {
      const { code, message, hint } = toRestError({ status, reason: 'it said so' }, REPOSITORY, WORDS);
      assert.match(message, /git\.example/);
      assert(hint);
      return code;
    });
    assert.deepEqual(codes, [
      'forge_refused',
      'forge_refused',
      'forge_unauthorized',
      'forge_refused',
      'forge_unauthorized',
      'forge_refused',
      'forge_refused',
      'forge_unreachable',
      'forge_unreachable',
      'forge_unreachable',
    ]);
  });

  it('has the words of the forge, wherever they are', () => {
    const reasons = [
      [{ message: "The target couldn't be found.", url: 'x', errors: null }, "The target couldn't be found"],
      [{ message: ['Another one exists: !1'] }, 'Another one exists: !1'],
      [
        { message: { source_branch: ['does not exist'], base: ['Too many'] } },
        'source_branch does not exist; Too many',
      ],
      [{ error: 'insufficient_scope', error_description: 'More is needed.' }, 'More is needed'],
      [{ message: 'A', errors: ['B', 'A'] }, 'A; B'],
      ['<html>', 'it gave no reason'],
      [undefined, 'it gave no reason'],
    ] as const;
    for (const [data, reason] of reasons) {
      assert.equal(reasonOf(data), reason);
    }
  });

  it('shows the token in no form', () => {
    const basic = Buffer.from(`oauth2:${TOKEN}`).toString('base64');
    const text = `a ${TOKEN} b ${encodeURIComponent(TOKEN)} c ${basic} d`;
    assert.equal(redactToken(text, TOKEN), 'a [redacted] b [redacted] c [redacted] d');
  });

  it('is one when the answer points elsewhere: the token stays', async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.url);
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      assert(address && typeof address === 'object');
      const host = { host: `127.0.0.1:${address.port}`, apiUrl: `http://127.0.0.1:${address.port}/api` };
      const api = new RestApi({ host, token: TOKEN, authorization: `Bearer ${TOKEN}` });
      const answer = await api.request('GET', '/projects/1');
      assert('failure' in answer);
      assert.equal(answer.failure.status, 302);
      assert.deepEqual(seen, ['/api/projects/1']);
    } finally {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    }
  });
});
