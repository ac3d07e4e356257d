import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { BackupSummary } from '../core/dataFolderTools.ts';
import { printDeepCheck } from './deepDoctor.ts';
import { EXIT } from './exitCodes.ts';
import type { ProgramOptions, Run } from './command.ts';
import { plain } from './render.ts';
import { stepLine } from './stepLine.ts';

/** `backup <target>`, `backup verify <file>` and `backup restore <file>`. */
export function addBackup(command: Command, { config, tools }: ProgramOptions, run: Run): void {
  const backup = command
    .command('backup')
    .argument('<target>', 'a new file, or a folder to put one into')
    .description('Write everything that lasts into one file; the relay may run meanwhile')
    .option('--json', '', false)
    .action((target: string, flags: { json: boolean }) =>
      run(async () => {
        const summary = await withSteps('Backup', onProgress =>
          interruptible(signal =>
            tools.makeBackup({ dataFolder: config.dataFolder, target: resolve(target), onProgress, signal }),
          ),
        );
        print(summary, flags.json);
        // It is there, but not whole: a script must notice.
        return summary.warnings.length > 0 ? EXIT.failed : EXIT.ok;
      })(),
    );
  backup
    .command('verify')
    .argument('<file>')
    .description('Read a backup whole and compare every checksum')
    .option('--json', '', false)
    .action((file: string, flags: { json: boolean }, self: Command) =>
      run(async () => {
        print(
          await withSteps('Backup', onProgress => tools.verifyBackup(resolve(file), onProgress)),
          wantsJson(flags, self),
        );
        return EXIT.ok;
      })(),
    );
  backup
    .command('restore')
    .argument('<file>')
    .requiredOption('--into <folder>', 'an empty folder, which becomes a data folder')
    .description('Fill an empty folder from a backup, after all of it was verified')
    .option('--json', '', false)
    .action((file: string, flags: { into: string; json: boolean }, self: Command) =>
      run(async () => {
        const dataFolder = resolve(flags.into);
        const result = await withSteps('Backup', onProgress =>
          tools.restoreBackup({ file: resolve(file), dataFolder, onProgress }),
        );
        if (wantsJson(flags, self)) {
          process.stdout.write(`${JSON.stringify({ ...result.backup, dataFolder, check: result.check })}\n`);
        } else {
          print(result.backup, false);
          process.stdout.write(`Restored into ${dataFolder}. Start it with: sandpiper serve --data ${dataFolder}\n`);
        }
        return printDeepCheck(result.check, wantsJson(flags, self) ? 'nothing' : 'text');
      })(),
    );
}

/** The option of the command above takes the flag when it comes first. */
function wantsJson(flags: { json: boolean }, self: Command): boolean {
  return flags.json || self.optsWithGlobals()['json'] === true;
}

function print(summary: BackupSummary, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(summary)}\n`);
    return;
  }
  const { file, bytes, createdAt, version, counts, warnings } = summary;
  process.stdout.write(
    `${file}\n${(bytes / 1024 ** 2).toFixed(1)} MiB, made ${new Date(createdAt).toISOString()} by Sandpiper ${plain(version)}: ` +
      `${counts.sessions} sessions, ${counts.events} events, ${counts.blobs} blobs, ${counts.mirrors} mirrors, ${counts.archives} deleted sessions\n`,
  );
  for (const warning of warnings) {
    process.stderr.write(`warning: ${plain(warning)}\n`);
  }
}

async function withSteps<Result>(
  what: string,
  work: (onProgress: (step: string) => void) => Promise<Result>,
): Promise<Result> {
  const line = stepLine(what);
  try {
    return await work(step => line.show(step));
  } finally {
    line.dispose();
  }
}

/** Ctrl-C ends the work, which then removes what it has begun. */
async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
