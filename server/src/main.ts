#!/usr/bin/env node
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText, SandpiperError, toSandpiperError } from '../../protocol/errors.ts';
import { findRelay } from '../../client/localRelay.ts';
import { runProgram } from './cli/program.ts';
import { EXIT } from './cli/exitCodes.ts';
import { readConfig, readEnvironment, type Config } from './core/config.ts';
import { createLogger } from './core/log.ts';
import { startRelay } from './relay.ts';

/** How long the relay that holds the lock may take until it answers. */
const OTHER_RELAY_MS = 10_000;
const OTHER_RELAY_POLL_MS = 100;

/** The relay as a process: until SIGTERM or SIGINT, or until nobody needed it for long. A second one for the same folder names the first and ends. */
async function serve(config: Config): Promise<number> {
  const log = createLogger(config.logLevel, line => process.stderr.write(line));
  let relay;
  try {
    relay = await startRelay(config, log);
  } catch (error) {
    const failure = toSandpiperError(error);
    // A taken port is a conflict too, but not one that another relay of this folder explains.
    const isHeld = failure.code === 'conflict' && failure.details?.['port'] === undefined;
    const first = isHeld ? await awaitRelay(config.dataFolder) : undefined;
    if (first) {
      process.stdout.write(
        `${JSON.stringify({ url: first.url, pid: first.pid, version: first.version, alreadyRunning: true })}\n`,
      );
      return EXIT.ok;
    }
    throw failure;
  }
  process.stdout.write(`${JSON.stringify({ url: relay.url, pid: process.pid })}\n`);
  // A parent that goes away must not end the relay with it.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  await new Promise<void>(resolve => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
    void relay.idle.then(resolve);
  });
  await relay.close();
  return EXIT.ok;
}

/** The relay that holds the lock; it may be starting up and not listen yet. */
async function awaitRelay(dataFolder: string): Promise<Awaited<ReturnType<typeof findRelay>>> {
  const giveUpAt = Date.now() + OTHER_RELAY_MS;
  for (;;) {
    const found = await findRelay(dataFolder);
    if (found || Date.now() >= giveUpAt) {
      return found;
    }
    await sleep(OTHER_RELAY_POLL_MS);
  }
}

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
  if (major < 22 || (major === 22 && minor < 18)) {
    throw new SandpiperError(
      'version_mismatch',
      `Sandpiper needs Node 22.18 or newer; this is ${process.versions.node}.`,
      {
        hint: 'Install a newer Node, or start it through npm in a clone of the repository.',
      },
    );
  }
  process.exitCode = await runProgram(process.argv.slice(2), {
    config: readConfig(),
    program: [process.execPath, process.argv[1] ?? ''],
    environment: readEnvironment(),
    serve,
  });
} catch (error) {
  process.stderr.write(`${errorText(toSandpiperError(error))}\n`);
  process.exitCode = EXIT.usage;
}
