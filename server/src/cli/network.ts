import type { Command } from 'commander';
import type { CallResult } from '../../../protocol/calls.ts';
import { networkName } from '../../../protocol/networkReducer.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession } from './connection.ts';
import { EXIT } from './exitCodes.ts';

interface NetworkFlags {
  allow: string[];
  forbid: string[];
  always: boolean;
  json: boolean;
}

/** For an option that may be given several times. */
export function several(value: string, before: string[]): string[] {
  return [...before, value];
}

/** The command that shows and changes what the programs of a session may reach. */
export function addNetwork(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('network')
    .argument('<session>', 'id, or the end of one')
    .description('Show what the programs of a session reached and tried to, and allow hosts')
    .option('--allow <host>', 'host, host:port, *.host:port, or npm, pypi, crates, go, debian, github', several, [])
    .option('--forbid <host>', 'take that back, also for later sessions of the repository', several, [])
    .option('--always', 'allow for every session of this repository', false)
    .option('--json', '', false)
    .action((session: string, { allow, forbid, always, json }: NetworkFlags) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const sessionId = await findSession(client, session);
          const changes = [
            ...forbid.map(text => ({ allow: text, allowed: false })),
            ...allow.map(text => ({ allow: text, allowed: true })),
          ];
          for (const change of changes) {
            const scope = always ? 'repository' : 'session';
            await client.call('session.allowNetwork', { sessionId, scope, ...change });
          }
          const network = await client.call('session.network', { sessionId });
          process.stdout.write(json ? `${JSON.stringify(network)}\n` : textOf(network));
          return EXIT.ok;
        }),
      )(),
    );
}

function textOf({ proxied, rules, seen }: CallResult<'session.network'>): string {
  const allowed = rules.map(
    ({ rule, from }) => `allowed  ${networkName(rule)}${rule.readOnly ? ' (to read)' : ''}  by the ${from}`,
  );
  const tried = seen.map(place => {
    const times = place.times > 1 ? `  ${place.times} times` : '';
    return `${place.blocked === undefined ? 'reached ' : 'refused '} ${networkName(place)}${times}${
      place.blocked === undefined ? '' : `  (${place.blocked})`
    }`;
  });
  const lines = [
    ...(proxied ? [] : ['The relay does not stand between these programs and the network; see docs/sandboxes.md.']),
    ...(proxied && allowed.length === 0 ? ['Nothing may be reached but the model.'] : allowed),
    ...tried,
  ];
  return `${lines.join('\n')}\n`;
}
