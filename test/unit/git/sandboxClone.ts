import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '../../../server/src/core/log.ts';
import { inspectRepository } from '../../../server/src/git/inspect.ts';
import type { Mirror } from '../../../server/src/git/mirror.ts';
import { Mirrors } from '../../../server/src/git/mirrors.ts';
import { checkpointRef } from '../../../server/src/git/refs.ts';
import {
  checkpointScript,
  cloneCommand,
  parseCheckpoint,
  type CheckpointResult,
} from '../../../server/src/git/sandboxScripts.ts';

/** A clone as a sandbox has it, made by the real commands, and the mirror behind it. */
export interface SandboxClone {
  mirror: Mirror;
  base: string;
  workspace: string;
  bundle: string;
  /** Ref of a turn. */
  ref(turn: number): string;
  checkpoint(parent: string, options?: CheckpointOptions): { code: number; stderr: string; result?: CheckpointResult };
}

interface CheckpointOptions {
  turn?: number;
  objects?: string;
  largest?: number;
  shell?: string[];
}

/** What a sandbox sets; deliberately with a git configuration of the agent that must not matter. */
const SANDBOX_ENV = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  GIT_INDEX_FILE: '/nonexistent/index',
  GIT_DIR: '/nonexistent',
};

export async function makeSandboxClone(folder: string, repository: string): Promise<SandboxClone> {
  const inspected = await inspectRepository(repository, { home: '/nonexistent' });
  const mirrors = new Mirrors(join(folder, 'mirrors'), silentLogger);
  const { mirror, commit: base } = await mirrors.ensure(inspected, undefined);
  const workspace = join(folder, 'sand box/workspace');
  const author = { name: '-Agent <x>', email: 'agent@localhost' };
  mkdirSync(join(folder, 'sand box'));
  const command = cloneCommand({ mirrorPath: mirror.path, commit: base, workspace, branch: 'sandpiper/x', author });
  const { code, stderr } = execute(command, { PATH: SANDBOX_ENV.PATH, HOME: join(folder, 'home') });
  if (code !== 0) {
    throw new Error(`The clone failed: ${stderr}`);
  }
  const script = join(folder, 'checkpoint.sh');
  const message = join(folder, 'message');
  const bundle = join(folder, 'out.bundle');
  writeFileSync(script, checkpointScript());
  writeFileSync(message, 'Turn\n\nwith a body\n');
  const ref = (turn: number) => checkpointRef('ses_1', turn);
  return {
    mirror,
    base,
    workspace,
    bundle,
    ref,
    checkpoint(parent, { turn = 1, objects = mirror.objects, largest = 50_000_000, shell = ['sh'] } = {}) {
      const args = [workspace, join(folder, 'scratch'), parent, ref(turn), message, bundle, objects, String(largest)];
      const { code, stdout, stderr } = execute([...shell, script, ...args], SANDBOX_ENV);
      return { code, stderr, ...(code === 0 ? { result: parseCheckpoint(stdout) } : {}) };
    },
  };
}

function execute(argv: string[], env: Record<string, string>): { code: number; stdout: string; stderr: string } {
  const [program = '', ...args] = argv;
  const { status, stdout, stderr } = spawnSync(program, args, { env, encoding: 'utf8', cwd: '/' });
  return { code: status ?? -1, stdout, stderr };
}
