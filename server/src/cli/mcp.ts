import type { Command } from 'commander';
import type { RelayClient } from '../../../client/relayClient.ts';
import { VERSION } from '../core/config.ts';
import type { RelayAccess } from '../mcp/relayAccess.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { EXIT } from './exitCodes.ts';

/** `mcp`: lets another agent start and watch sessions. */
export function addMcp(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('mcp')
    .description('Serve the Model Context Protocol on standard input and output, for other agents on this machine')
    .action(
      run(() =>
        withConnection(options, async ({ client }) => {
          const { serveMcpOnStdio } = await import('../mcp/stdioServer.ts');
          await serveMcpOnStdio(accessOf(client), VERSION);
          return EXIT.ok;
        }),
      ),
    );
}

function accessOf(client: RelayClient): RelayAccess {
  return {
    call: (name, params) => client.call(name, params),
    changed: (sessionId, afterSeq, signal) =>
      new Promise((resolve, reject) => {
        const over = (): void => {
          following.dispose();
          signal.removeEventListener('abort', over);
          resolve();
        };
        const following = client.follow(sessionId, ({ state }, change) => {
          if (change.kind === 'failed' && !change.error.retryable) {
            queueMicrotask(over);
            reject(change.error);
          } else if (state && state.seq > afterSeq) {
            // It may be called before `follow` has answered.
            queueMicrotask(over);
          }
        });
        signal.addEventListener('abort', over);
        if (signal.aborted) {
          over();
        }
      }),
  };
}
