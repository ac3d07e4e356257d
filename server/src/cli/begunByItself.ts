import { readFile } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { permissionModeSchema } from '../../../protocol/composing.ts';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import { amount, count } from './arguments.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import type { Connection } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { isUrl } from './source.ts';

/** What is said of sessions that begin by themselves, for webhooks and for schedules. */
export interface StartFlags {
  repo: string;
  base?: string;
  title?: string;
  promptFile?: string;
  mode: string;
  provider: string;
  model?: string;
  budget?: number;
  perHour: number;
}

/** The options of `StartFlags`. */
export function withStartFlags(command: Command, perHour: number): Command {
  return command
    .requiredOption('--repo <source>', 'local path or URL that its sessions start from')
    .option('--base <ref>', 'what to start from (default: HEAD)')
    .option('--title <text>', 'of its sessions (default: its name)')
    .option('--prompt-file <file>', 'what the agent is told')
    .addOption(
      new Option('--mode <mode>', 'what the agent may do without asking')
        .choices(permissionModeSchema.options)
        .default('autopilot'),
    )
    .option('--provider <id>', 'where the agent works', 'local')
    .option('--model <name>')
    .option('--budget <usd>', 'stop the model of a session after this much money', amount)
    .option('--per-hour <n>', 'begin at most so many sessions in an hour', count, perHour);
}

export function toStart({ repo, base, title, mode, provider, model, budget, perHour }: StartFlags) {
  return {
    source: isUrl(repo) || isAbsolute(repo) ? repo : resolve(repo),
    permissionMode: permissionModeSchema.parse(mode),
    provider,
    maxPerHour: perHour,
    ...(base === undefined ? {} : { base }),
    ...(title === undefined ? {} : { title }),
    ...(model === undefined ? {} : { model }),
    ...(budget === undefined ? {} : { budgetUsd: budget }),
  };
}

/** @throws `invalid_params` when it cannot be read */
export async function readPromptFile(file: string, option = '--prompt-file'): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new SandpiperError('invalid_params', `The file of ${option} cannot be read: ${toError(error).message}.`, {
      hint: 'Give it a file that is there.',
    });
  }
}

/** What adds to a command others that do something with one thing by its name. */
export function commandsOnNamed(
  command: Command,
  options: ProgramOptions,
  run: Run,
): (name: string, description: string, work: (connection: Connection, named: string) => Promise<string>) => Command {
  return (name, description, work) =>
    command
      .command(name)
      .argument('<name>')
      .description(description)
      .action((named: string) =>
        run(() =>
          withConnection(options, async connection => {
            process.stdout.write(await work(connection, named));
            return EXIT.ok;
          }),
        )(),
      );
}
