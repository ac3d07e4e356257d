import type { Command } from 'commander';
import type { RelayClient } from '../../../client/relayClient.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { followSession } from './follow.ts';
import { createStyle } from './render.ts';

/** `spec extract`. */
export function addExtraction(spec: Command, options: ProgramOptions, run: Run): void {
  spec
    .command('extract')
    .argument('<session>', 'id, or the end of one')
    .description('Have the agent write down as a spec what was talked about')
    .option('--json', 'events as JSON lines', false)
    .action((session: string, flags: { json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const sessionId = await findSession(client, session);
          const { seq } = await client.call('spec.extract', { sessionId });
          return followExtraction(client, sessionId, flags.json, seq);
        }),
      )(),
    );
}

/** Follows the writing of a spec, and prints its id. */
async function followExtraction(client: RelayClient, sessionId: string, json: boolean, seq: number): Promise<number> {
  let specId: string | undefined;
  const code = await followSession({
    client,
    sessionId,
    json,
    style: createStyle(process.stdout.isTTY && !json),
    onQuestion: process.stdin.isTTY && !json ? 'ask' : 'end',
    until: state => {
      if (state.phase.kind === 'blocked') {
        return EXIT.failed;
      }
      const isDone = state.seq >= seq && !state.extracting;
      specId = isDone && (state.extracted?.seq ?? 0) > seq ? state.extracted?.specId : undefined;
      return isDone ? (specId === undefined ? EXIT.failed : EXIT.ok) : undefined;
    },
  });
  if (specId !== undefined && !json) {
    process.stdout.write(`${specId}\n`);
  }
  return code;
}
