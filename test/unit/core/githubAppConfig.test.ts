import assert from 'node:assert/strict';
import { readConfig } from '../../../server/src/core/config.ts';

describe('the settings of a GitHub App', () => {
  const both = { SANDPIPER_GITHUB_APP_ID: '12', SANDPIPER_GITHUB_APP_KEY_FILE: '/keys/app.pem' };

  it('are the number of the App, its key and its host', () => {
    assert.equal(readConfig({}).githubApp, undefined);
    assert.deepEqual(readConfig(both).githubApp, { id: '12', keyFile: '/keys/app.pem', host: 'github.com' });
    assert.equal(readConfig({ ...both, SANDPIPER_GITHUB_APP_HOST: 'GHE.example' }).githubApp?.host, 'ghe.example');
  });

  it('may be a client id alone, to sign people in', () => {
    assert.equal(readConfig({}).githubClientId, undefined);
    assert.equal(readConfig({ SANDPIPER_GITHUB_CLIENT_ID: 'Iv23.x' }).githubClientId, 'Iv23.x');
    assert.throws(() => readConfig({ SANDPIPER_GITHUB_CLIENT_ID: 'a b' }), /must be the client id of an App/);
  });

  it('are refused by halves, and with an id that is none', () => {
    assert.throws(() => readConfig({ SANDPIPER_GITHUB_APP_ID: '12' }), /are needed both/);
    assert.throws(
      () => readConfig({ ...both, SANDPIPER_GITHUB_APP_ID: '../x' }),
      /must be the number or the client id/,
    );
  });
});
