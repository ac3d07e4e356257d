import { InvalidArgumentError, type Command } from 'commander';
import { awayText } from '../../../protocol/awaySummary.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { EXIT } from './exitCodes.ts';
import { plain } from './render.ts';

/** `away`. */
export function addAway(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('away')
    .description('Say what finished, what waits, what failed and what it cost since you were last here')
    .option('--since <time>', 'how long ago, such as 30m, 8h or 2d', ago)
    .option('--json', '', false)
    .action(({ since, json }: { since?: number; json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const away = await client.call('attention.away', since === undefined ? {} : { since: Date.now() - since });
          if (json) {
            process.stdout.write(`${JSON.stringify(away)}\n`);
            return EXIT.ok;
          }
          const rows = [
            ...away.waiting.map(row => ['waits', row, row.asks.join(', ')] as const),
            ...away.failed.map(row => ['failed', row, row.message] as const),
            ...away.finished.map(row => ['finished', row, `${row.files} files changed`] as const),
          ];
          process.stdout.write(`Since ${new Date(away.since).toISOString()}: ${awayText(away) || 'nothing'}\n`);
          for (const [kind, { sessionId, repository, title }, text] of rows) {
            process.stdout.write(
              `${kind.padEnd(8)}  ${sessionId}  ${plain(repository)}  ${plain(title)}  ${plain(text.split('\n', 1)[0] ?? '')}\n`,
            );
          }
          return EXIT.ok;
        }),
      )(),
    );
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds. */
function ago(text: string): number {
  const [, number, unit = ''] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  const unitMs = UNITS[unit];
  if (number === undefined || unitMs === undefined) {
    throw new InvalidArgumentError('It is a number with m, h or d after it.');
  }
  return Number(number) * unitMs;
}
