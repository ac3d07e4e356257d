import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NAME = 'sandpiper-test:latest';

/** What an agent and the suites need; git with what it calls itself. */
const PROGRAMS =
  'sh bash cat ls cp mv rm mkdir rmdir ln chmod chown touch head tail wc sort uniq cut tr tee env printf echo pwd id date sleep seq find xargs grep sed awk mkfifo stat truncate dd sha256sum setsid unshare mount kill ps true false test dirname basename readlink realpath mktemp expr tar gzip git git-upload-pack comm diff uname cmp perl'.split(
    ' ',
  );
const GIT_CORE = '/usr/lib/git-core';
const GIT_PARTS = ['git', 'git-sh-setup', 'git-remote-http'];

/**
 * Makes an image out of this machine's own programs, so that no registry is needed: real git, real coreutils, and the
 * libraries that they (and node and Claude Code, which tests mount) load.
 */
export async function importTestImage(socket: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sp-image-'));
  try {
    await fill(root);
    const tar = spawn('tar', ['-C', root, '--numeric-owner', '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const changes = ['USER 1000:1000', 'WORKDIR /workspace', 'ENV PATH=/usr/local/bin:/usr/bin:/bin'];
    const query = new URLSearchParams([
      ['fromSrc', '-'],
      ['repo', NAME],
      ...changes.map(change => ['changes', change] satisfies [string, string]),
    ]);
    const importing = request({ socketPath: socket, method: 'POST', path: `/images/create?${query.toString()}` });
    tar.stdout.pipe(importing);
    const [answer] = await once(importing, 'response');
    let said = '';
    for await (const chunk of answer) {
      said += String(chunk);
    }
    if (said.includes('"error"')) {
      throw new Error(`The image could not be imported: ${said}`);
    }
    return NAME;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function fill(root: string): Promise<void> {
  for (const folder of [
    'usr/bin',
    'usr/lib',
    'usr/lib64',
    'usr/local/bin',
    'etc',
    'tmp',
    'var',
    'root',
    'proc',
    'sys',
    'dev',
    'run',
  ]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  for (const name of ['bin', 'lib', 'lib64']) {
    await symlink(`usr/${name}`, join(root, name));
  }
  await writeFile(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nagent:x:1000:1000:agent:/home/agent:/bin/sh\n',
  );
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nagent:x:1000:\n');
  for (const folder of ['workspace', 'home/agent', 'journal']) {
    await mkdir(join(root, folder), { recursive: true });
    await run('chown', ['1000:1000', join(root, folder)]);
  }
  await run('chmod', ['1777', join(root, 'tmp')]);
  const programs = await Promise.all(PROGRAMS.map(which));
  const files = new Set([...programs.flat(), ...GIT_PARTS.map(part => `${GIT_CORE}/${part}`)]);
  const perl = await perlModules();
  const libraries = await librariesOf([...files, ...perl, process.execPath]);
  for (const file of [...files, ...perl, ...libraries]) {
    await copyWithLinks(root, file);
  }
}

/** Of what Debian's smallest perl has, the part that speaks with sockets. */
async function perlModules(): Promise<string[]> {
  const script = 'use strict; use warnings; use Socket; print join("\\n", values %INC, @DynaLoader::dl_shared_objects)';
  const { stdout } = await run('perl', ['-e', script]).catch(() => ({ stdout: '' }));
  return stdout.split('\n').filter(path => path.startsWith('/'));
}

async function which(name: string): Promise<string[]> {
  const { stdout } = await run('sh', ['-c', `PATH=/usr/bin:/bin command -v ${name} || true`]);
  const path = stdout.trim();
  // A builtin of the shell has no file of its own under that name here; coreutils has.
  return [path.startsWith('/') ? path : `/usr/bin/${name}`];
}

async function librariesOf(files: readonly string[]): Promise<Set<string>> {
  const found = new Set(['/lib64/ld-linux-x86-64.so.2']);
  const more = [
    'libdl.so.2',
    'libpthread.so.0',
    'librt.so.1',
    'libstdc++.so.6',
    'libm.so.6',
    'libgcc_s.so.1',
    'libresolv.so.2',
    'libnss_files.so.2',
  ];
  for (const file of files) {
    const { stdout } = await run('ldd', [await realpath(file)]).catch(() => ({ stdout: '' }));
    for (const [, path] of stdout.matchAll(/(\/\S+) \(0x/g)) {
      found.add(path ?? '');
    }
  }
  const { stdout } = await run('/sbin/ldconfig', ['-p']).catch(() => ({ stdout: '' }));
  for (const [, name, path] of stdout.matchAll(/^\s+(\S+) .*x86-64.* => (\S+)$/gm)) {
    if (name !== undefined && path !== undefined && more.includes(name)) {
      found.add(path);
    }
  }
  return found;
}

/** As it is on this machine, with the links on the way (`awk` is one to `/etc/alternatives/awk`). */
async function copyWithLinks(root: string, file: string): Promise<void> {
  const target = await realpath(file).catch(() => undefined);
  if (target === undefined) {
    return;
  }
  const place = join(root, file.replace(/^\/(bin|lib|lib64)\//, '/usr/$1/'));
  await mkdir(dirname(place), { recursive: true });
  const { mode } = await stat(target);
  await copyFile(target, place).catch(() => {});
  await run('chmod', [(mode & 0o777).toString(8), place]);
}
