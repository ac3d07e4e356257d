import { appendFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { RELAY_NODE_OPTIONS } from '../../client/localRelay.ts';
import { errorText, toSandpiperError } from '../../protocol/errors.ts';
import { EXIT } from './cli/exitCodes.ts';
import { readConfig, readEnvironment, type Config } from './core/config.ts';

/** A defect must not leave the relay half alive: it is written down and the process ends; agents and log are unharmed. */
function crash(error: unknown): void {
  const text = `${new Date().toISOString()} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
  try {
    process.stderr.write(text);
    appendFileSync(`${readConfig().dataFolder}/crash.log`, text, { mode: 0o600 });
  } finally {
    process.exit(70);
  }
}

/** Runs the `sandpiper` command that this process was started with, and sets its exit code. */
export async function runCommand(): Promise<void> {
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  const args = process.argv.slice(2);
  try {
    const config = readConfig();
    process.exitCode = isPlainServe(args) ? await servePlainly(config) : await runAny(args, config);
  } catch (error) {
    process.stderr.write(`${errorText(toSandpiperError(error))}\n`);
    process.exitCode = EXIT.usage;
  }
}

/** What starts a relay: clients and supervisors wait for it, so that it loads no other command. */
function isPlainServe(args: readonly string[]): boolean {
  return args.length === 1 && args[0] === 'serve';
}

/** As `sandpiper serve` without options does it. */
async function servePlainly(config: Config): Promise<number> {
  const { serve } = await import('./serve.ts');
  try {
    return await serve({ ...config, dataFolder: resolve(config.dataFolder) }, { replace: false });
  } catch (error) {
    process.stderr.write(`${errorText(toSandpiperError(error))}\n`);
    return EXIT.noRelay;
  }
}

async function runAny(args: readonly string[], config: Config): Promise<number> {
  const [{ runProgram }, { dataFolderTools }] = await Promise.all([
    import('./cli/program.ts'),
    import('./dataFolderTools.ts'),
  ]);
  return runProgram(args, {
    config,
    tools: dataFolderTools(config),
    program: [process.execPath, ...RELAY_NODE_OPTIONS, process.argv[1] ?? ''],
    environment: readEnvironment(),
    serve: async (...how) => (await import('./serve.ts')).serve(...how),
  });
}
