#!/usr/bin/env node
import { appendFileSync } from 'node:fs';
import { errorText, SandpiperError, toSandpiperError } from '../../protocol/errors.ts';
import { runProgram } from './cli/program.ts';
import { EXIT } from './cli/exitCodes.ts';
import { readConfig, readEnvironment } from './core/config.ts';
import { dataFolderTools } from './dataFolderTools.ts';
import { serve } from './serve.ts';

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

process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
try {
  if (major < 20 || (major === 20 && minor < 11)) {
    throw new SandpiperError(
      'version_mismatch',
      `Sandpiper needs Node 20.11 or newer; this is ${process.versions.node}.`,
      {
        hint: 'Install a newer Node, or start it through npm in a clone of the repository.',
      },
    );
  }
  const config = readConfig();
  process.exitCode = await runProgram(process.argv.slice(2), {
    config,
    tools: dataFolderTools(config),
    program: [process.execPath, process.argv[1] ?? ''],
    environment: readEnvironment(),
    serve,
  });
} catch (error) {
  process.stderr.write(`${errorText(toSandpiperError(error))}\n`);
  process.exitCode = EXIT.usage;
}
