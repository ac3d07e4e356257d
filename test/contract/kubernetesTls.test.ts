import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { promisify } from 'node:util';
import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';
import { KubernetesEmulator } from '../support/vendors/kubernetes/kubernetesEmulator.ts';
import { kubernetesProviderFor } from '../support/vendors/kubernetes/kubernetesProviderFor.ts';

const run = promisify(execFile);

/** Every real cluster is reached over TLS, and has an authority of its own that its kubeconfig names. */
describe('Kubernetes over TLS', function () {
  this.timeout(60_000);
  let emulator: KubernetesEmulator;
  let folder = '';
  let front: Server;
  const authorityOf = async (name: string): Promise<string> =>
    (await readFile(join(folder, `${name}.crt`))).toString('base64');

  before(async function () {
    const why = await whyNoBoxes();
    requireOrSkip(this, 'Kubernetes over TLS', why === undefined, why ?? '');
    folder = await mkdtemp(join(tmpdir(), 'sandpiper-tls-'));
    try {
      await Promise.all(['own', 'other'].map(async name => makeCertificate(folder, name)));
    } catch (error) {
      requireOrSkip(this, 'Kubernetes over TLS', false, `openssl makes no certificate: ${String(error)}`);
    }
    emulator = await KubernetesEmulator.start();
    const { port } = new URL(emulator.url);
    const [key, cert] = await Promise.all(['own.key', 'own.crt'].map(async name => readFile(join(folder, name))));
    front = createServer(key && cert ? { key, cert } : {}, socket => {
      const behind = connect(Number(port), '127.0.0.1');
      socket.on('error', () => behind.destroy());
      behind.on('error', () => socket.destroy());
      socket.pipe(behind).pipe(socket);
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
  });

  after(async () => {
    front?.close();
    await emulator?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const placeFor = async (authority: string) => {
    const address = front.address();
    assert.ok(typeof address === 'object' && address !== null);
    const cluster = {
      server: `https://127.0.0.1:${address.port}`,
      'certificate-authority-data': await authorityOf(authority),
    };
    return { kubeconfig: emulator.kubeconfig(emulator.apiKey, cluster), image: 'base' };
  };

  it('makes pods and runs programs through the authority that the kubeconfig names', async () => {
    const provider = kubernetesProviderFor(await placeFor('own'), 'tls');
    const sandbox = await provider.create({ key: 'ses_tls', acceptNoIsolation: false, mounts: [] });
    assert.equal((await sandbox.exec(['true'], { timeoutMs: 20_000 })).code, 0);
    await provider.destroy(sandbox.ref);
  });

  it('sends nothing to a server that another authority speaks for', async () => {
    const before = emulator.requests.length;
    const { available, reason } = await kubernetesProviderFor(await placeFor('other'), 'tls').probe();
    assert.equal(available, false);
    assert.match(reason ?? '', /certificate/);
    assert.equal(emulator.requests.length, before);
  });
});

async function makeCertificate(folder: string, name: string): Promise<void> {
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject]);
}
