#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runChaosClient } from './clientMain.ts';
import { FAULT_KINDS, type FaultKind } from './plan.ts';
import { summaryOf, resultOf } from './report.ts';
import { runChaos, type ChaosOptions } from './run.ts';

/*
 * `npm run chaos`, `sandpiper chaos`: kills and disturbs everything, on a scratch data folder, and proves that nothing was
 * lost. docs/chaos.md says how to read it. With `client <folder>` this program is the client of such a run.
 */

const USAGE = `usage: sandpiper chaos [--kills N] [--seed S] [--json] [--agent stand-in|claude] [--only KIND,..] [--without KIND,..]
                      [--events-per-kill N] [--sessions N] [--messages N]
kinds: ${FAULT_KINDS.join(', ')}
`;

const [first, second] = process.argv.slice(2);
if (first === 'client' && second !== undefined) {
  await runChaosClient(second);
} else {
  process.exitCode = await main();
}

async function main(): Promise<number> {
  let flags;
  try {
    flags = readFlags();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  const { json, options } = flags;
  const started = Date.now();
  const live = !json && process.stderr.isTTY;
  const replay = `sandpiper chaos ${replayFlags(options)}`;
  if (!json) {
    process.stdout.write(
      `chaos: seed ${options.seed}, ${options.kills} kills, ${options.claude ?? 'the stand-in agent'}\n`,
    );
  }
  const outcome = await runChaos({
    ...options,
    onProgress: ({ kills, events, doing }) => {
      if (live) {
        process.stderr.write(`\r\x1b[K${kills} of ${options.kills} kills, ${events} events: ${doing}`);
      }
    },
  });
  if (live) {
    process.stderr.write('\r\x1b[K');
  }
  const result = resultOf(outcome, { seed: options.seed, seconds: (Date.now() - started) / 1000, replay });
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : summaryOf(result));
  return outcome.problems.length > 0 || outcome.kills < options.kills ? 1 : 0;
}

function readFlags(): { json: boolean; options: ChaosOptions } {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '50' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
      agent: { type: 'string', default: 'stand-in' },
      only: { type: 'string' },
      without: { type: 'string' },
      'events-per-kill': { type: 'string', default: '40' },
      sessions: { type: 'string' },
      messages: { type: 'string' },
      relay: { type: 'string' },
    },
  });
  if (values.agent !== 'stand-in' && values.agent !== 'claude') {
    throw new Error(`--agent is stand-in or claude, not "${values.agent}".`);
  }
  const without = kindsIn(values.without ?? '');
  const only = values.only === undefined ? FAULT_KINDS : kindsIn(values.only);
  const kinds = only.filter(kind => !without.includes(kind));
  if (!kinds.some(kind => ['relay', 'agent', 'client', 'sandbox'].includes(kind))) {
    throw new Error('Leave at least one of relay, agent, client and sandbox: the others kill nothing.');
  }
  const claude = values.agent === 'claude' ? findClaude() : undefined;
  const entry = process.argv[1] ?? '';
  return {
    json: values.json,
    options: {
      kills: whole('kills', values.kills),
      seed: whole('seed', values.seed ?? String(Date.now() % 100_000)),
      eventsPerKill: whole('events-per-kill', values['events-per-kill']),
      kinds,
      // A real agent takes a hundred megabytes.
      active: whole('sessions', values.sessions ?? (claude === undefined ? '6' : '3')),
      longest: whole('messages', values.messages ?? (claude === undefined ? '14' : '6')),
      claude,
      relay: [process.execPath, values.relay ?? relayEntry()],
      client: [process.execPath, entry, 'client'],
      environment: { PATH: process.env['PATH'] ?? '', ...marks() },
      onProgress: () => {},
    },
  };
}

/** From source this file is in chaos/, in a bundle in dist/chaos/; the relay is beside it. */
function relayEntry(): string {
  const bundled = join(import.meta.dirname, '../server/sandpiper.mjs');
  return existsSync(bundled) ? bundled : join(import.meta.dirname, '../server/src/main.ts');
}

function findClaude(): string {
  const places = [
    process.env['SANDPIPER_CLAUDE'] ?? '',
    join(import.meta.dirname, '../node_modules/.bin/claude'),
    ...(process.env['PATH'] ?? '').split(':').map(folder => join(folder, 'claude')),
  ];
  const found = places.find(place => place !== '' && existsSync(place));
  if (found === undefined) {
    throw new Error('Claude Code was not found: set SANDPIPER_CLAUDE, or leave out --agent claude.');
  }
  return found;
}

/** Lets the census after a test suite find what this run left behind. */
function marks(): Record<string, string> {
  const run = process.env['SANDPIPER_TEST_RUN'];
  return run === undefined ? {} : { SANDPIPER_TEST_RUN: run };
}

function kindsIn(text: string): FaultKind[] {
  return text
    .split(',')
    .filter(word => word !== '')
    .map(word => {
      const kind = FAULT_KINDS.find(known => known === word);
      if (!kind) {
        throw new Error(`There is no fault "${word}".`);
      }
      return kind;
    });
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`--${name} must be a whole number from 1, not "${text}".`);
  }
  return value;
}

/** The flags that make the same run again. */
function replayFlags(options: ChaosOptions): string {
  const { kills, seed, eventsPerKill, active, longest, kinds, claude } = options;
  const only = kinds.length === FAULT_KINDS.length ? '' : ` --only ${kinds.join(',')}`;
  const agent = claude === undefined ? '' : ' --agent claude';
  const size = `--events-per-kill ${eventsPerKill} --sessions ${active} --messages ${longest}`;
  return `--kills ${kills} --seed ${seed} ${size}${only}${agent}`;
}
