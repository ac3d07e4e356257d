import type { Command } from 'commander';
import { SandpiperError } from '../../../protocol/errors.ts';
import { MAX_TAGS, TAG } from '../../../protocol/tags.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession } from './connection.ts';
import { EXIT } from './exitCodes.ts';

/** `pin`, `unpin` and `tag`. */
export function addLabels(command: Command, options: ProgramOptions, run: Run): void {
  for (const pinned of [true, false]) {
    command
      .command(pinned ? 'pin' : 'unpin')
      .argument('<session>', 'id, or the end of one')
      .description(pinned ? 'Keep a session at the top of every list' : 'Let a pinned session go again')
      .action((session: string) =>
        run(() =>
          withConnection(options, async ({ client }) => {
            await client.call('session.pin', { sessionId: await findSession(client, session), pinned });
            return EXIT.ok;
          }),
        )(),
      );
  }
  command
    .command('tag')
    .argument('<session>', 'id, or the end of one')
    .argument('[tags...]', 'one word each; with a minus before it the tag is removed (after --)')
    .option('--json', '', false)
    .description('Add and remove tags of a session, and print what it has then')
    .action((session: string, words: string[], { json }: { json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const change = changeOf(words);
          const { tags } = await client.call('session.tag', {
            sessionId: await findSession(client, session),
            ...change,
          });
          process.stdout.write(json ? `${JSON.stringify(tags)}\n` : tags.map(tag => `${tag}\n`).join(''));
          return EXIT.ok;
        }),
      )(),
    );
}

/** @throws `invalid_params` for a word that is no tag */
function changeOf(words: readonly string[]): { add: string[]; remove: string[] } {
  const wrong = words.find(word => !TAG.test(word.replace(/^-/, '')));
  if (wrong !== undefined || words.length > MAX_TAGS) {
    throw new SandpiperError(
      'invalid_params',
      wrong === undefined ? `At most ${MAX_TAGS} tags at a time.` : `"${wrong}" is no tag.`,
      { hint: 'A tag is one word of letters, digits and . _ / - with at most 40 characters.' },
    );
  }
  return {
    add: words.filter(word => !word.startsWith('-')),
    remove: words.filter(word => word.startsWith('-')).map(word => word.slice(1)),
  };
}
