import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { checkContent } from '../../../server/src/policy/checkContents.ts';
import { hasHeader } from '../../../server/src/policy/licenseHeader.ts';
import { readPolicy, type Policy } from '../../../server/src/policy/policyFile.ts';
import { findSecrets } from '../../../server/src/redaction/findSecrets.ts';
import { Secrets } from '../../../server/src/redaction/secrets.ts';

const TOKEN = `ghp_${'a1B2'.repeat(9)}`;

function policyOf(file: object): Policy {
  const read = readPolicy(Buffer.from(JSON.stringify({ version: 1, ...file })));
  assert.equal(read.kind, 'policy');
  return read.policy;
}

describe('what stands in a file', () => {
  const secrets = new Secrets();
  secrets.hold('one', 'model key', 'the-value-of-the-key');

  function check(policy: Policy, path: string, text: string | Buffer, old = ''): string[] {
    const file = { path, status: old === '' ? 'added' : 'modified', insertions: 0, deletions: 0, bytes: 0 } as const;
    const contents = { file: { ...file, accepted: false }, content: Buffer.from(text), before: Buffer.from(old) };
    return checkContent(policy, contents, (now, then) => findSecrets(now, then, secrets.search)).map(
      ({ rule, line }) => `${rule} ${line ?? ''}`,
    );
  }

  it('must be no new secret; one that was there before may stay', () => {
    const policy = policyOf({});
    assert.deepEqual(check(policy, 'a', `x\n${TOKEN}\n`), ['secrets 2']);
    assert.deepEqual(check(policy, 'a', `y\n${TOKEN}\n`, `x\n${TOKEN}\n`), []);
    assert.deepEqual(check(policy, 'a', 'x\nthe-value-of-the-key'), ['secrets 2']);
    assert.deepEqual(check(policy, 'a', 'the-value-of-the-key\nthe-value-of-the-key', 'the-value-of-the-key'), [
      'secrets ',
    ]);
    assert.deepEqual(check(policy, 'a', 'the-value-\nof-the-key'), ['secrets ']);
  });

  it('is looked into whatever its encoding', () => {
    assert.deepEqual(check(policyOf({}), 'a', Buffer.from(`x\n${TOKEN}`, 'utf16le')), ['secrets 2']);
    assert.deepEqual(check(policyOf({}), 'a', Buffer.concat([Buffer.from([0xff, 0, 0x80]), Buffer.from(TOKEN)])), [
      'secrets 1',
    ]);
  });

  it('may look like a secret where the policy says so, and never be one that the relay holds', () => {
    const policy = policyOf({ secrets: { except: ['test/'] } });
    assert.deepEqual(check(policy, 'test/a', TOKEN), []);
    assert.deepEqual(check(policy, 'a', TOKEN), ['secrets 1']);
    assert.deepEqual(check(policy, 'test/a', 'the-value-of-the-key'), ['secrets 1']);
    assert.deepEqual(check(policyOf({ secrets: 'off' }), 'a', TOKEN), []);
  });

  it('begins with the header in a new file, and keeps it in an old one', () => {
    const header = 'Copyright {year} Acme\nSPDX-License-Identifier: MIT';
    const policy = policyOf({ licenseHeaders: [{ files: ['*.ts'], header }] });
    const top = '#!/usr/bin/env node\n/*\n * Copyright 2019-2026 Acme\n * SPDX-License-Identifier: MIT\n */\n';
    assert.deepEqual(check(policy, 'a.ts', `${top}x`), []);
    assert.deepEqual(check(policy, 'a.ts', 'x'), ['licenseHeaders 1']);
    assert.deepEqual(check(policy, 'a.js', 'x'), []);
    assert.deepEqual(check(policy, 'a.ts', ''), []);
    assert.deepEqual(check(policy, 'a.ts', 'y', 'x'), [], 'it never had one');
    assert.deepEqual(check(policy, 'a.ts', 'y', top), ['licenseHeaders 1']);
    assert.equal(hasHeader(`${'x\n'.repeat(9000)}SPDX`, ['SPDX']), false, 'that is not the top');
  });
});
