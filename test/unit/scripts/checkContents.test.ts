import assert from 'node:assert/strict';
import { checkContents } from '../../../scripts/package/checkContents.ts';

const fit = [
  'extension/package.json',
  'extension/package.nls.json',
  'extension/dist/extension/extension.cjs',
  'extension/dist/server/sandpiper.mjs',
  'extension/dist/server/agent-run.sh',
  'extension/dist/server/node_sqlite3.node',
  'extension/dist/webview/main.js',
].map(name => ({ name, content: Buffer.from('{}') }));

const withFile = (name: string, content = '') => [...fit, { name, content: Buffer.from(content) }];

describe('the check of what a VSIX contains', () => {
  it('accepts what users need', () => {
    assert.deepEqual(checkContents(fit, [], true), []);
  });

  for (const name of [
    'extension/server/src/main.ts',
    'extension/dist/extension/extension.cjs.map',
    'extension/.env',
    'extension/node_modules/ws/index.js',
  ]) {
    it(`refuses ${name}`, () => {
      assert.deepEqual(checkContents(withFile(name), [], true), [`${name} should not be in it`]);
    });
  }

  it('misses what is not there', () => {
    assert.match(checkContents(fit.slice(1), [], true).join(), /package\.json is not in it/);
  });

  it('finds secrets and paths of this machine, and does not print a secret', () => {
    const key = `sk-ant-${'api03-'.repeat(6)}`;
    const found = checkContents(
      withFile('extension/media/a.md', `${key} /home/jo/sandpiper hunter2hunter2`),
      ['/home/jo/sandpiper', 'hunter2hunter2'],
      true,
    );
    assert.deepEqual(found, [
      'extension/media/a.md contains an Anthropic key',
      'extension/media/a.md contains the path /home/jo/sandpiper',
      'extension/media/a.md contains the value of a secret variable of this machine',
    ]);
  });

  it('does not take a pattern for a secret', () => {
    assert.deepEqual(checkContents(withFile('extension/media/a.md', String.raw`/sk-ant-[\w-]{24,}/`), [], true), []);
  });

  it('refuses proposed APIs', () => {
    const entries = fit.map(entry =>
      entry.name === 'extension/package.json'
        ? { ...entry, content: Buffer.from('{"enabledApiProposals":["chatHooks"]}') }
        : entry,
    );
    assert.match(checkContents(entries, [], true).join(), /proposed APIs/);
  });
});
