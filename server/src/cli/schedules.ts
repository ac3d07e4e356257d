import type { Command } from 'commander';
import type { Schedule } from '../../../protocol/scheduleCalls.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { EXIT } from './exitCodes.ts';
import { commandsOnNamed, readPromptFile, toStart, withStartFlags, type StartFlags } from './begunByItself.ts';
import { plain } from './render.ts';

interface AddFlags extends StartFlags {
  cron: string;
  zone: string;
  promptFile: string;
}

/** `schedules` with its commands: sessions at due times. */
export function addSchedules(command: Command, options: ProgramOptions, run: Run): void {
  const schedules = command
    .command('schedules')
    .description('Begin sessions at times of the day, the week or the month');
  const add = schedules
    .command('add')
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .description('Begin a session at each due time')
    .requiredOption('--cron <fields>', 'minute, hour, day of the month, month, day of the week: "0 3 * * 1-5"')
    .option('--zone <zone>', 'by whose clocks', Intl.DateTimeFormat().resolvedOptions().timeZone);
  withStartFlags(add, 4).action((name: string, flags: AddFlags) =>
    run(() =>
      withConnection(options, async ({ client }) => {
        const { schedule } = await client.call('schedules.add', {
          ...toStart(flags),
          name,
          cron: flags.cron,
          timeZone: flags.zone,
          prompt: await readPromptFile(flags.promptFile),
        });
        process.stdout.write(`${scheduleRow(schedule)}\n`);
        return EXIT.ok;
      }),
    )(),
  );
  schedules
    .command('list')
    .description('List the schedules, and when they are due next')
    .option('--json', '', false)
    .action(({ json }: { json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          for (const schedule of (await client.call('schedules.list', {})).schedules) {
            process.stdout.write(json ? `${JSON.stringify(schedule)}\n` : `${scheduleRow(schedule)}\n`);
          }
          return EXIT.ok;
        }),
      )(),
    );
  const withName = commandsOnNamed(schedules, options, run);
  withName('remove', 'Have a schedule begin nothing any more', async ({ client }, name) =>
    (await client.call('schedules.remove', { name })).removed ? 'removed\n' : 'there was none\n',
  );
  withName(
    'run',
    'Begin its session now',
    async ({ client }, name) => `begins: "${(await client.call('schedules.run', { name })).firing}"\n`,
  );
}

function scheduleRow({ name, cron, timeZone, source, permissionMode, nextAt, lastAt }: Schedule): string {
  const time = (at: number | undefined) => (at === undefined ? 'never' : new Date(at).toISOString());
  return plain(
    `${name}  "${cron}" ${timeZone}  ${source}  ${permissionMode}  last ${time(lastAt)}  next ${time(nextAt)}`,
  );
}
