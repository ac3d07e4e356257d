import assert from 'node:assert/strict';
import { isLinkLocal, isPublicAddress } from '../../../server/src/egress/addresses.ts';
import { parseEgress, ruleFor } from '../../../server/src/egress/rules.ts';
import { rejects } from '../../support/rejects.ts';

describe('addresses that a sandbox may be led to', () => {
  it('are those of the internet', () => {
    for (const address of [
      '1.1.1.1',
      '93.184.216.34',
      '172.32.0.1',
      '100.128.0.1',
      '2606:4700::1111',
      '2a00:1450::1',
    ]) {
      assert.equal(isPublicAddress(address), true, address);
    }
  });

  it('are no private, local, mapped, tunnelled or reserved ones, and nothing that is no address', () => {
    const refused = `
      127.0.0.1 127.255.255.254 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1
      100.100.100.200 192.0.0.192 168.63.129.16 224.0.0.1 255.255.255.255
      :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:7f00:1 ::127.0.0.1 64:ff9b::7f00:1 fe80::1 fe80::1%eth0 fc00::1
      fd00:ec2::254 ff02::1 2002:7f00:1:: 2001::1 2001:db8::1 100::1
      localhost 2130706433 0x7f.1 127.1`.split(/\s+/);
    assert.deepEqual(refused.filter(isPublicAddress), []);
  });

  it('are never those where clouds keep secrets, also for hosts of an own network', () => {
    for (const address of [
      '169.254.169.254',
      'fe80::1',
      '::ffff:169.254.169.254',
      '168.63.129.16',
      '100.100.100.200',
    ]) {
      assert.equal(isLinkLocal(address), true, address);
    }
    for (const address of ['127.0.0.1', '10.0.0.1', '::1', 'fd12::1', '8.8.8.8', '2606:4700::1']) {
      assert.equal(isLinkLocal(address), false, address);
    }
  });
});

describe('rules for the network', () => {
  it('are read as a person writes them', () => {
    assert.deepEqual(parseEgress('Example.COM'), [{ host: 'example.com', port: 443 }]);
    assert.deepEqual(parseEgress('registry:8080'), [{ host: 'registry', port: 8080 }]);
    assert.deepEqual(parseEgress('*.example.com:8443'), [{ host: '*.example.com', port: 8443 }]);
    assert.deepEqual(parseEgress('[2606:4700::1111]:443'), [{ host: '2606:4700::1111', port: 443 }]);
    assert.deepEqual(parseEgress('npm'), [{ host: 'registry.npmjs.org', port: 443 }]);
    assert.deepEqual(parseEgress('github.com:80'), [{ host: 'github.com', port: 80, readOnly: true }]);
  });

  it('are refused when they would be everybody, or nobody', async () => {
    for (const text of [
      '*',
      '*.com',
      '*.com:443',
      'nosuch',
      'http://a.b',
      'a b.c',
      'a.b:0',
      'a.b:70000',
      '..',
      'constructor',
      'a.b/c',
    ]) {
      await rejects(
        Promise.resolve().then(() => parseEgress(text)),
        'invalid_params',
      );
    }
  });

  it('fit their host and port, however it is spelt, and nothing beside it', () => {
    const rules = [...parseEgress('example.com'), ...parseEgress('*.pkg.dev')];
    for (const host of ['example.com', 'EXAMPLE.com.', 'a.pkg.dev', 'a.b.pkg.dev']) {
      assert.ok(ruleFor(rules, host, 443), host);
    }
    for (const host of [
      'www.example.com',
      'example.com.evil.org',
      'evilexample.com',
      'pkg.dev',
      'xpkg.dev',
      '.pkg.dev',
    ]) {
      assert.equal(ruleFor(rules, host, 443), undefined, host);
    }
    assert.equal(ruleFor(rules, 'example.com', 80), undefined);
  });
});
