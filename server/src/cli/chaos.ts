import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { ProgramOptions, Run } from './command.ts';
import { EXIT } from './exitCodes.ts';

/** `sandpiper chaos`: a program of its own that lies beside this one; nothing of it is in the relay. */
export function addChaos(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('chaos')
    .argument('[flags...]', 'as `--kills 50 --seed 1 --json`; docs/chaos.md has them all')
    .description('Kill and disturb a relay of its own, on a scratch folder, and check that nothing is lost')
    .allowUnknownOption()
    .helpOption(false)
    .action((flags: string[]) => run(() => runChaos(flags, options))());
}

function runChaos(flags: readonly string[], { config, program, environment }: ProgramOptions): Promise<number> {
  const [interpreter = process.execPath, entry = ''] = program;
  const path = entry.endsWith('.ts') ? 'chaos/main.ts' : 'dist/chaos/chaos.mjs';
  return new Promise((resolve, reject) => {
    const child = spawn(interpreter, [join(config.programFolder, path), ...flags], {
      stdio: 'inherit',
      env: { ...environment },
    });
    child.once('error', reject);
    child.once('exit', code => resolve(code ?? EXIT.failed));
  });
}
