import assert from 'node:assert/strict';
import { externalUrl } from '../../../extension/src/chat/externalUrl.ts';
import { chatHtml } from '../../../extension/src/chat/html.ts';
import { newId } from '../../../protocol/ids.ts';
import { isHostMessage } from '../../../protocol/webviewApi.ts';
import { parseWebviewMessage } from '../../../protocol/webviewSchemas.ts';

const sessionId = newId('ses');
const key = newId('key');

function request(method: string, params: unknown): unknown {
  return { type: 'request', requestId: 1, method, params };
}

describe('what the page may say', () => {
  it('is that it is ready, and the requests of the table', () => {
    for (const message of [
      { type: 'ready' },
      { type: 'ready', sessionId, seq: 3 },
      request('send', { sessionId, text: 'Go on', key }),
      request('withdraw', { key }),
      request('selectSession', { sessionId: null }),
      request('answer', { sessionId, approvalId: 'a', decision: { kind: 'deny', message: 'No' }, key }),
      request('startSession', { prompt: 'Fix', includeUncommitted: true, permissionMode: 'ask' }),
    ]) {
      assert.deepEqual(parseWebviewMessage(message), { ok: true, message });
    }
  });

  it('is refused in every other form, with an answer where there is somebody to answer', () => {
    for (const message of [
      request('send', { sessionId, text: '', key }),
      request('send', { sessionId, text: 'a', key: '../key' }),
      request('send', { sessionId: '../x', text: 'a', key }),
      request('send', { sessionId, text: 'a'.repeat(1_000_001), key }),
      request('startSession', { prompt: 'Fix', includeUncommitted: 'yes', permissionMode: 'ask' }),
      request('startSession', { prompt: 'Fix', includeUncommitted: true, permissionMode: 'root' }),
      request('readBlob', { sessionId, hash: '../../etc/passwd', offset: 0 }),
      request('toString', {}),
      request('__proto__', {}),
      request('constructor', {}),
    ]) {
      const parsed = parseWebviewMessage(message);
      assert.deepEqual([parsed.ok, !parsed.ok && parsed.requestId], [false, 1], JSON.stringify(message).slice(0, 100));
    }
    for (const message of [undefined, null, 'ready', [], {}, { type: 'ready', seq: -1 }, { type: 'eval', code: '1' }]) {
      const parsed = parseWebviewMessage(message);
      assert.deepEqual([parsed.ok, !parsed.ok && parsed.requestId], [false, undefined]);
    }
  });

  it('loses fields that nobody knows', () => {
    const parsed = parseWebviewMessage(request('stop', { sessionId, force: true }));
    assert.deepEqual(parsed, { ok: true, message: request('stop', { sessionId }) });
  });
});

describe('what the page hears', () => {
  it('is told from the noise of other scripts', () => {
    assert.equal(isHostMessage({ type: 'compose' }), true);
    for (const noise of [null, 'open', { type: 'toString' }, { type: 1 }, {}]) {
      assert.equal(isHostMessage(noise), false);
    }
  });
});

describe('the page', () => {
  const parts = { nonce: 'N0', cspSource: 'https://csp.example', scriptUri: 's.js', styleUri: 's.css' };
  const html = chatHtml({ ...parts, language: 'pt-br' });

  it('says its language, when that is one', () => {
    assert.match(html, /<html lang="pt-br">/);
    assert.match(chatHtml({ ...parts, language: '"><script>' }), /<html lang="en">/);
  });

  it('runs only scripts of the bundle, loads nothing from elsewhere and connects to nobody', () => {
    const policy = /content="(default-src[^"]*)"/.exec(html)?.[1] ?? '';
    assert.match(policy, /^default-src 'none';/);
    assert.match(policy, /script-src 'nonce-N0' https:\/\/csp\.example;/);
    assert.doesNotMatch(policy, /unsafe|connect-src|\*/);
    assert.match(html, /<script type="module" nonce="N0" src="s\.js">/);
  });
});

describe('a link of the agent', () => {
  it('is opened when it is a web address', () => {
    assert.equal(externalUrl('https://example.com/a?b#c'), 'https://example.com/a?b#c');
  });

  it('is refused when it could run something here, or hide where it goes', () => {
    for (const url of [
      'command:workbench.action.terminal.new',
      'file:///etc/passwd',
      'vscode://x.y/z',
      'javascript:alert(1)',
      'https://github.com@evil.example/',
      'example.com',
    ]) {
      assert.throws(() => externalUrl(url), { code: 'forbidden' }, url);
    }
  });
});
