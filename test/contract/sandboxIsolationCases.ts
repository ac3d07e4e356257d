import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { listenOnSocket } from '../../server/src/core/socketServer.ts';
import { rejects } from '../support/rejects.ts';
import type { SandboxFixture } from './sandboxFixture.ts';

const TIMEOUT_MS = 9000;

/** What isolation must mean; for isolation `none`, that it is not had by accident. */
export function sandboxIsolationCases(fixture: SandboxFixture): void {
  if (fixture.expectations.isolation === 'none') {
    consentCases(fixture);
  } else if (fixture.expectations.vendor === true) {
    vendorCases(fixture);
  } else {
    visibilityCases(fixture);
    mountCases(fixture);
  }
}

function consentCases(fixture: SandboxFixture): void {
  it('runs without isolation only with consent, for each session', async () => {
    const error = await rejects(fixture.create({ acceptNoIsolation: false }), 'isolation_consent_needed');
    assert.match(error.message, /without isolation/);
    assert.ok(error.hint);
    assert.deepEqual(await fixture.provider.list(), []);
    const spec = fixture.spec();
    await fixture.provider.create(spec);
    await rejects(fixture.provider.create({ ...spec, acceptNoIsolation: false }), 'isolation_consent_needed');
  });

  it('refuses a mount that it cannot give', async () => {
    if (fixture.expectations.hostMounts === false) {
      return;
    }
    const mount = { hostPath: fixture.host, path: fixture.host };
    await fixture.create({ mounts: [mount] });
    await rejects(fixture.create({ mounts: [{ ...mount, path: '/elsewhere' }] }), 'invalid_params');
  });
}

/** A machine of a vendor: what it hides is the vendor's business, what of this machine comes there is ours. */
function vendorCases(fixture: SandboxFixture): void {
  it('leaves out mounts, which cannot be', async () => {
    await writeFile(join(fixture.host, 'secret'), 'hunter-two');
    const sandbox = await fixture.create({ mounts: [{ hostPath: fixture.host, path: '/x' }] });
    assert.equal((await sandbox.exec(['ls', '-d', '/x', fixture.host], { timeoutMs: TIMEOUT_MS })).stdout.length, 0);
    assert.deepEqual([sandbox.hostMounts, sandbox.modelSocket], [false, false]);
  });
}

function visibilityCases(fixture: SandboxFixture): void {
  const output = async (script: string, changes = {}): Promise<string> => {
    const sandbox = await fixture.create(changes);
    return (await sandbox.exec(['sh', '-c', `${script}; true`], { timeoutMs: TIMEOUT_MS })).stdout.toString();
  };

  it('has no network at all', async () => {
    const server = createServer(socket => socket.end('reached')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const address = server.address();
      assert.ok(typeof address === 'object' && address !== null);
      const script = `
        const net = require('net');
        const attempt = (host, port) => new Promise(resolve => {
          const socket = net.connect({ host, port, timeout: 3000 }, () => resolve('connected'));
          socket.on('error', error => resolve(error.code));
        });
        Promise.all([attempt('127.0.0.1', ${address.port}), attempt('192.0.2.1', 80)]).then(r => console.log(r.join()));`;
      const sandbox = await fixture.create({ mounts: [{ hostPath: process.execPath, path: process.execPath }] });
      const { stdout } = await sandbox.exec([process.execPath, '-e', script], { timeoutMs: TIMEOUT_MS });
      assert.equal(stdout.toString(), 'ECONNREFUSED,ENETUNREACH\n');
    } finally {
      server.close();
    }
  });

  it('shows nothing of the host but its programs', async () => {
    await writeFile(join(fixture.host, 'secret'), 'hunter-two');
    // A container has such places of its own.
    const shared = ['/root', '/etc/shadow', '/etc/ssl/private', '/sys', '/var', '/boot'];
    const places = [
      ...(fixture.expectations.isolation === 'process' ? [homedir(), ...shared] : []),
      '/home',
      fixture.storage,
    ];
    const found = await output(
      `for f in ${places.join(' ')} ${fixture.host}/secret; do ls -d "$f" 2>/dev/null; done; ls /home; ls -A /tmp`,
    );
    assert.equal(found, '/home\nagent\n');
  });

  it('shows no process of the host', async () => {
    const pids = (await output('ls /proc | grep -E "^[0-9]+$" | wc -l')).trim();
    assert.ok(Number(pids) < 8, `${pids} processes`);
  });

  it('has an ordinary user without any power', async () => {
    const status = await output('id -u; id -g; grep -E "^Cap(Eff|Prm|Bnd)|NoNewPrivs" /proc/self/status');
    assert.deepEqual(status.split(/\s+/), [
      '1000',
      '1000',
      'CapPrm:',
      '0000000000000000',
      'CapEff:',
      '0000000000000000',
      'CapBnd:',
      '0000000000000000',
      'NoNewPrivs:',
      '1',
      '',
    ]);
    assert.equal(
      await output('unshare -Ur true 2>/dev/null && echo nested; mount -t tmpfs x /tmp 2>/dev/null && echo mounted'),
      '',
    );
  });

  it('writes only to its own folders', async () => {
    const places = [
      '/',
      '/usr',
      '/etc',
      '/usr/bin',
      '/home',
      '/run',
      '/opt',
      '/workspace',
      '/home/agent',
      '/journal',
      '/tmp',
    ];
    const written = await output(`for d in ${places.join(' ')}; do touch "$d/.w" 2>/dev/null && echo "$d"; done`);
    const allowed = new Set(['/run', '/workspace', '/home/agent', '/journal', '/tmp']);
    assert.deepEqual(
      written
        .trim()
        .split('\n')
        .filter(place => !allowed.has(place)),
      [],
    );
    // The same value again, in case it can be written.
    const sysctl = '/proc/sys/kernel/core_pattern';
    assert.equal(await output(`v=$(cat ${sysctl}); printf %s "$v" > ${sysctl} && echo written`), '');
    const writable = await output("find /proc -path '/proc/[0-9]*' -prune -o -type f -writable -print 2>/dev/null");
    // Engines put the null device over some, and leave what only watches the load.
    const harmless = /^\/proc\/(keys|timer_list|latency_stats|sched_debug|pressure\/\w+)$/;
    const left = writable.split('\n').filter(path => path !== '');
    assert.deepEqual(
      left.filter(path => fixture.expectations.isolation !== 'container' || !harmless.test(path)),
      [],
    );
  });

  it("cannot take the host's devices away", async () => {
    const before = (await stat('/dev/null')).ctimeMs;
    assert.equal(await output('chmod 666 /dev/null; echo x > /dev/null && head -c 3 /dev/zero | wc -c'), '3\n');
    assert.equal((await stat('/dev/null')).ctimeMs, before);
  });

  it('keeps the records of the relay out of sight and reach', async () => {
    const sandbox = await fixture.create();
    const script = `find / -name sandbox.json -not -path '/proc/*' 2>/dev/null; ls -d /workspace/../relay /journal/../relay; true`;
    const { stdout } = await sandbox.exec(['sh', '-c', script], { timeoutMs: TIMEOUT_MS });
    assert.equal(stdout.toString(), '');
  });
}

function mountCases(fixture: SandboxFixture): void {
  it('shows mounts, read-only', async () => {
    const folder = join(fixture.host, 'mirror');
    await mkdir(folder);
    await writeFile(join(folder, 'object'), 'content');
    const sandbox = await fixture.create({
      mounts: [
        { hostPath: folder, path: '/mirrors/one' },
        { hostPath: folder, path: folder },
      ],
    });
    const script = `cat /mirrors/one/object ${folder}/object; for d in /mirrors/one ${folder}; do
      echo x > $d/new; echo x > $d/object; rm -f $d/object; chmod 777 $d/object; mv $d $d.moved; done 2>/dev/null; ls ${fixture.host}`;
    const { stdout } = await sandbox.exec(['sh', '-c', script], { timeoutMs: TIMEOUT_MS });
    assert.equal(stdout.toString(), 'contentcontentmirror\n');
    assert.equal(await readFile(join(folder, 'object'), 'utf8'), 'content');
  });

  it('refuses mounts over its own folders and of what is not there', async () => {
    const refused = [
      '/workspace',
      '/workspace/x',
      '/home',
      '/home/agent/x',
      '/',
      '/etc',
      '/proc/1',
      '/a/../b',
      'a',
      '/run/sandpiper/x',
    ];
    for (const path of refused) {
      await rejects(fixture.create({ mounts: [{ hostPath: fixture.host, path }] }), 'invalid_params');
    }
    await rejects(fixture.create({ mounts: [{ hostPath: join(fixture.host, 'gone'), path: '/x' }] }), 'invalid_params');
    assert.deepEqual(await fixture.provider.list(), []);
  });

  it("reaches the relay's socket, through a folder that it cannot change", async () => {
    const relayFolder = join(fixture.host, 'gateway');
    await mkdir(relayFolder);
    const socket = join(relayFolder, 'model.sock');
    const server = createHttpServer().on('connection', connection => connection.end('reached'));
    await listenOnSocket(server, socket);
    try {
      const sandbox = await fixture.create({
        relayFolder,
        mounts: [{ hostPath: process.execPath, path: process.execPath }],
      });
      const inside = `${sandbox.paths.relay}/model.sock`;
      const script = `require('net').connect(${JSON.stringify(inside)}).pipe(process.stdout)`;
      const { stdout } = await sandbox.exec([process.execPath, '-e', script], { timeoutMs: TIMEOUT_MS });
      assert.equal(stdout.toString(), 'reached');
      const attack = `cd ${sandbox.paths.relay}; rm -f model.sock; touch x; ln -s / y; mv model.sock z; ls`;
      const listed = await sandbox.exec(['sh', '-c', attack], { timeoutMs: TIMEOUT_MS });
      assert.equal(listed.stdout.toString(), 'model.sock\n');
    } finally {
      server.close();
    }
  });
}
