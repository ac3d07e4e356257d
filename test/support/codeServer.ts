import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../scripts/setup/command.ts';
import { vscodeServerFolder } from '../../scripts/setup/vscodeServer.ts';
import { eventually } from './eventually.ts';

/** A running VS Code server; a page of it is a VS Code window. */
export interface CodeServer {
  /** `127.0.0.1:<port>`, which is also the remote authority in `vscode-remote://` addresses. */
  authority: string;
  /** What the server printed. */
  output(): string;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

interface CodeServerOptions {
  /** User settings over the quiet defaults below. */
  settings?: Record<string, unknown>;
  /** Settings of the machine that the server runs on: the only place for those whose scope is `machine`. */
  machineSettings?: Record<string, unknown>;
  /** VSIX files to install before the start. */
  extensions?: readonly string[];
  /** Reaches the extension host. */
  env?: NodeJS.ProcessEnv;
  /** Needed to run tests inside the extension host; it hides notifications, so tests of the UI must not set it. */
  smokeTestDriver?: boolean;
  /** Opens every folder in Restricted Mode. */
  untrusted?: boolean;
  /** The display language; VS Code's own words stay English, for it gets a language pack without a word. */
  language?: string;
}

/** Who has written nothing for so long after the folder went is taken to have ended. */
const QUIET_MS = 300;

const QUIET_SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'security.workspace.trust.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  'window.commandCenter': false,
};

/** Every folder is open in Restricted Mode, and nobody is asked. */
const RESTRICTED = { 'security.workspace.trust.enabled': true, 'security.workspace.trust.startupPrompt': 'never' };

/** Starts the VS Code server from npm on a port of the system's choice, with its own settings, HOME and extensions. */
export async function startCodeServer(options: CodeServerOptions = {}): Promise<CodeServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sandpiper-test-vscode-'));
  const home = join(folder, 'home');
  await mkdir(home);
  // VS Code leaves sockets in its temporary folder. A short name: a socket's path may have 107 bytes.
  const scratch = join(folder, 't');
  await mkdir(scratch);
  await mkdir(join(folder, 'data/User'), { recursive: true });
  // Read at the start only: settings that are written later are not picked up.
  await writeFile(
    join(folder, 'data/User/settings.json'),
    JSON.stringify({ ...QUIET_SETTINGS, ...(options.untrusted ? RESTRICTED : {}), ...options.settings }, undefined, 2),
  );
  if (options.language !== undefined) {
    await writeLanguagePack(join(folder, 'data'), options.language);
  }
  await mkdir(join(folder, 'data/Machine'));
  await writeFile(join(folder, 'data/Machine/settings.json'), JSON.stringify(options.machineSettings ?? {}));
  const program = join(vscodeServerFolder, 'out/server-main.js');
  const places = ['--server-data-dir', folder, '--extensions-dir', join(folder, 'extensions')];
  const env = { ...process.env, ...options.env, HOME: home, USERPROFILE: home, TMPDIR: scratch, LANG: 'C.UTF-8' };
  for (const vsix of options.extensions ?? []) {
    const installed = await run(process.execPath, [program, '--install-extension', vsix, ...places], { env });
    if (installed.code !== 0) {
      throw new Error(`VS Code could not install ${vsix}:\n${installed.output}`);
    }
  }
  const flags = ['--host', '127.0.0.1', '--port', '0', '--without-connection-token', '--accept-server-license-terms'];
  const driver = options.smokeTestDriver ? ['--enable-smoke-test-driver'] : [];
  const trust = options.untrusted ? [] : ['--disable-workspace-trust'];
  const language = options.language === undefined ? [] : ['--locale', options.language];
  const server = spawn(process.execPath, [program, ...flags, ...language, ...trust, ...driver, ...places], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const port = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const [, found] = /Extension host agent listening on (\d+)/.exec(output) ?? [];
      if (found) {
        resolve(found);
      }
    };
    server.stdout.on('data', read);
    server.stderr.on('data', read);
    server.once('error', reject);
    server.once('exit', code => reject(new Error(`The VS Code server ended with ${code}:\n${output}`)));
  });
  return {
    authority: `127.0.0.1:${port}`,
    output: () => output,
    stop: async () => {
      if (server.exitCode === null && server.signalCode === null) {
        const ended = once(server, 'exit');
        const hosts = await childrenOf(server.pid);
        server.kill('SIGTERM');
        await ended;
        await Promise.all(hosts.map(untilGone));
      }
      await removeForGood(folder);
    },
  };
}

/** What VS Code notes of a language pack that was installed: without one it does not take its language. */
async function writeLanguagePack(dataFolder: string, language: string): Promise<void> {
  const words = join(dataFolder, 'words.i18n.json');
  await writeFile(words, JSON.stringify({ version: '1.0.0', contents: {} }));
  const pack = {
    hash: 'tests',
    extensions: [{ extensionIdentifier: { id: 'tests.language' }, version: '1.0.0' }],
    translations: { vscode: words },
    label: language,
  };
  await writeFile(join(dataFolder, 'languagepacks.json'), JSON.stringify({ [language]: pack }));
}

/** What an extension host started may outlive it, and make a folder anew to write its last words. */
async function removeForGood(folder: string): Promise<void> {
  await eventually(async () => {
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    await sleep(QUIET_MS);
    assert.ok(!existsSync(folder), `Something writes to ${folder} again and again.`);
  });
}

/** Extension hosts outlive their server for a moment, in which an extension may still start things and write files. */
async function childrenOf(pid: number | undefined): Promise<number[]> {
  const { output } = await run('ps', ['-axo', 'pid=,ppid=']);
  return output
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []));
}

async function untilGone(pid: number): Promise<void> {
  const isAlive = (): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  await eventually(() => {
    if (isAlive()) {
      throw new Error(`The process ${pid} of the VS Code server does not end.`);
    }
  }).catch(() => process.kill(pid, 'SIGKILL'));
}
