import type { Command } from 'commander';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { EXIT } from './exitCodes.ts';
import { plain } from './render.ts';

/** `sample`. */
export function addSample(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('sample')
    .description('Make the sample session, or show the one that is there: recorded, without a key and without an agent')
    .option('--json', '', false)
    .action((flags: { json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const sample = await client.call('session.sample', {});
          process.stdout.write(
            flags.json
              ? `${JSON.stringify(sample)}\n`
              : `session ${sample.sessionId}\nIts repository is ${plain(sample.folder)}: apply its changes there.\n`,
          );
          return EXIT.ok;
        }),
      )(),
    );
}
