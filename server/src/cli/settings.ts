import { Option, type Command } from 'commander';
import { effortSchema, permissionModeSchema, type SettingsChange } from '../../../protocol/composing.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { amount } from './arguments.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession } from './connection.ts';
import { EXIT } from './exitCodes.ts';

interface SetFlags {
  model?: string;
  effort?: string;
  permissions?: string;
  budget?: number | typeof NO_LIMIT;
}

const OWN = 'default';
const NO_LIMIT = 'none';

/** The command that changes how the agent of a session works. */
export function addSettings(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('set')
    .argument('<session>', 'id, or the end of one')
    .description('Change the model, the effort, the permission mode or the budget of a session, also while it works')
    .option('--model <name>', `name or alias; "${OWN}" is the agent's own choice`)
    .addOption(new Option('--effort <level>', 'how much the model thinks').choices([...effortSchema.options, OWN]))
    .addOption(
      new Option('--permissions <mode>', 'what the agent may do without asking').choices(permissionModeSchema.options),
    )
    .option('--budget <usd>', 'what the model may cost in all; "none" is no limit', budget)
    .action((session: string, flags: SetFlags) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const change = changeOf(flags);
          const sessionId = await findSession(client, session);
          if (flags.budget !== undefined) {
            const budgetUsd = flags.budget === NO_LIMIT ? null : flags.budget;
            const { spentUsd } = await client.call('session.setBudget', { sessionId, budgetUsd });
            process.stdout.write(`spent $${spentUsd.toFixed(2)} so far\n`);
          }
          if (Object.keys(change).length === 0) {
            return EXIT.ok;
          }
          const { applies } = await client.call('session.configure', { sessionId, ...change });
          process.stdout.write(applies === 'now' ? 'from the next answer on\n' : 'from the next turn on\n');
          return EXIT.ok;
        }),
      )(),
    );
}

/** @throws when it is neither an amount nor the word */
function budget(text: string): number | typeof NO_LIMIT {
  return text === NO_LIMIT ? NO_LIMIT : amount(text);
}

/** @throws when nothing is to be changed */
function changeOf({ model, effort, permissions, budget: usd }: SetFlags): SettingsChange {
  const change: SettingsChange = {
    ...(model === undefined ? {} : { model: model === OWN ? null : model }),
    ...(effort === undefined ? {} : { effort: effort === OWN ? null : effortSchema.parse(effort) }),
    ...(permissions === undefined ? {} : { permissionMode: permissionModeSchema.parse(permissions) }),
  };
  if (Object.keys(change).length === 0 && usd === undefined) {
    throw new SandpiperError('invalid_params', 'Say what to change: --model, --effort, --permissions or --budget.');
  }
  return change;
}
