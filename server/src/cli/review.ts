import type { Command } from 'commander';
import { SandpiperError } from '../../../protocol/errors.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { plain } from './render.ts';

/** `review comment`, `review comments` and `review submit`. */
export function addReview(command: Command, options: ProgramOptions, run: Run): void {
  const review = command.command('review').description('Comment on what a session changed, and tell the agent');
  review
    .command('comment')
    .argument('<session>', 'id, or the end of one')
    .argument('<place>', 'file and line, or lines: src/a.ts:3 or src/a.ts:3-7')
    .argument('<text>')
    .description('Write a draft comment on lines that are on offer')
    .action((session: string, place: string, text: string) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const sessionId = await findSession(client, session);
          const { path, lines } = parsePlace(place);
          const { blob } = await client.call('changes.file', { sessionId, side: 'proposed', path });
          if (blob === null) {
            throw new SandpiperError('not_found', `There is no ${path} in what is on offer.`);
          }
          const target = { kind: 'lines', side: 'proposed', path, object: blob, lines } as const;
          const { commentId } = await client.call('review.comment', { sessionId, target, text });
          process.stdout.write(`${commentId}\n`);
          return EXIT.ok;
        }),
      )(),
    );
  review
    .command('comments')
    .argument('<session>', 'id, or the end of one')
    .description('List comments with what became of them')
    .option('--json', '', false)
    .action((session: string, flags: { json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const sessionId = await findSession(client, session);
          const { comments } = await client.call('review.comments', { sessionId });
          for (const comment of comments) {
            process.stdout.write(flags.json ? `${JSON.stringify(comment)}\n` : `${lineOf(comment)}\n`);
          }
          return EXIT.ok;
        }),
      )(),
    );
  review
    .command('submit')
    .argument('<session>', 'id, or the end of one')
    .argument('[text]', 'what to say besides')
    .description('Hand the agent all drafts, and what was rejected and edited')
    .option('--json', '', false)
    .action((session: string, text: string | undefined, flags: { json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const sessionId = await findSession(client, session);
          const submitted = await client.call('review.submit', { sessionId, ...(text === undefined ? {} : { text }) });
          const { comments, rejections, edits } = submitted;
          process.stdout.write(
            flags.json
              ? `${JSON.stringify(submitted)}\n`
              : `submitted: ${count(comments, 'comment')}, ${count(rejections, 'rejection')}, ${count(edits, 'edit')}\n`,
          );
          return EXIT.ok;
        }),
      )(),
    );
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function parsePlace(place: string): { path: string; lines: { start: number; count: number } } {
  const [, path, first, last] = /^(.+):(\d{1,7})(?:-(\d{1,7}))?$/.exec(place) ?? [];
  const from = Number(first);
  const to = Number(last ?? first);
  if (path === undefined || !(from >= 1) || to < from) {
    throw new SandpiperError('invalid_params', `"${place}" is no file and line.`, {
      hint: 'Write it as src/a.ts:3 or src/a.ts:3-7, with lines counted from 1.',
    });
  }
  return { path, lines: { start: from - 1, count: to - from + 1 } };
}

function lineOf(comment: {
  place: { kind: string; path?: string };
  now: { start: number } | null;
  state: string;
  label?: string | undefined;
  text: string;
  answer?: { text?: string | undefined } | undefined;
}): string {
  const { place, now, state, label, text, answer } = comment;
  const where = `${plain(place.path ?? place.kind)}${now ? `:${now.start + 1}` : ''}`;
  const said = answer?.text === undefined ? '' : `\n    ${plain(answer.text).replaceAll('\n', '\n    ')}`;
  return `${(label ?? '-').padEnd(4)} ${state.padEnd(10)} ${where}  ${plain(text).replaceAll('\n', ' ')}${said}`;
}
